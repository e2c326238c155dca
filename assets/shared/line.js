// A live connection to a route of the app (pages/ui/sockets.py), beside Streamlit's own. It comes back by itself.

const SOONEST_MS = 1000, LATEST_MS = 4000; // until the next attempt; each that fails doubles it

/** The address of the app, from its page of that name: a proxy may have put something in front that Python does not know of. */
function appOf(page) {
  return location.pathname.replace(new RegExp(`/*${page}/*$`), "").replace(/\/+$/, "");
}

class Line {
  /**
   * @param {() => string} address of the route, asked for at each attempt; it may be relative to the page's
   * @param {{ opened?: () => void, hear: (message: any) => unknown, lost?: (sentence: string) => void }} owner is told that the
   *   connection is there, what comes, one after the other, and that it is gone: with a sentence for people
   */
  constructor(address, owner) {
    this.address = address;
    this.owner = owner;
    this.wait = SOONEST_MS;
  }

  /** Connect, or connect anew where the address is another one by now. */
  open() {
    this.socket?.close();
    const url = new URL(this.address(), location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.socket = socket;
    this.gone = false;
    const mine = () => this.socket === socket && !this.gone;
    socket.onopen = () => {
      if (!mine()) return;
      this.wait = SOONEST_MS;
      this.owner.opened?.();
    };
    let heard = Promise.resolve(); // one after the other: what is heard may take a moment to decode
    socket.onmessage = ({ data }) => {
      heard = heard
        .then(async () => {
          if (!mine()) return;
          this.worked = true;
          await this.owner.hear(JSON.parse(data));
        })
        .catch(reportError); // or the line would be deaf from here on
    };
    socket.onclose = ({ code }) => {
      if (!mine()) return;
      const refused = code === 1008 || (code === 1006 && !this.worked);
      this.owner.lost?.(
        refused
          ? "The live connection was refused. Reload the page; if that does not help, start the app with: make app"
          : "The connection is gone; trying again …",
      );
      if (code === 1008) return;
      setTimeout(() => mine() && this.open(), this.wait);
      this.wait = Math.min(2 * this.wait, LATEST_MS);
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
