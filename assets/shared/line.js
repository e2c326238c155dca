// A component's live connection; pages/ui/live.py is at its other end. It comes back by itself.

const RECONNECT_MS = 1500;

class Line {
  /**
   * @param {string} path of the route, below the app's address
   * @param {{ opened?: () => void, hear: (message: any) => unknown, lost: (sentence: string) => void }} owner is told that the
   *   connection is there, what comes, one after the other, and that it is gone: with a sentence for people
   */
  constructor(path, owner) {
    this.path = path;
    this.owner = owner;
  }

  /** Connect, or connect anew under another token, from the page of that name. */
  open(token, page) {
    this.socket?.close();
    const base = location.pathname.replace(new RegExp(`/*${page}/*$`), "").replace(/\/+$/, "");
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${base}/${this.path}/${token}`);
    this.socket = socket;
    this.gone = false;
    const mine = () => this.socket === socket && !this.gone;
    socket.onopen = () => mine() && this.owner.opened?.();
    let heard = Promise.resolve(); // one after the other: what is heard may take a moment to decode
    socket.onmessage = ({ data }) => {
      heard = heard.then(async () => {
        if (!mine()) return;
        this.worked = true;
        await this.owner.hear(JSON.parse(data));
      });
    };
    socket.onclose = ({ code }) => {
      if (!mine()) return;
      const refused = code === 1008 || (code === 1006 && !this.worked);
      this.owner.lost(
        refused
          ? "The live connection was refused. Reload the page; if that does not help, start the app with: make app"
          : "The connection is gone; trying again …",
      );
      if (code !== 1008) setTimeout(() => mine() && this.open(token, page), RECONNECT_MS);
    };
  }

  get ready() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(message) {
    if (this.ready) this.socket.send(JSON.stringify(message));
  }

  close() {
    this.gone = true;
    this.socket?.close();
  }
}
