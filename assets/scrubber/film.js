// The pictures of a row. Python side: core/files/wire.py, which cuts them into pieces and says what is in each.

const AT_ONCE = 4; // pieces on their way
const TRIES = 5;
const AGAIN_MS = 500; // until the second try; each that fails doubles it

/** What was decoded, by name: rows may have pieces in common, and a trajectory that grows keeps those it had. */
class Pieces {
  constructor() {
    this.held = new Map(); // name -> { sheet, delta, largest }
    this.coming = new Set(); // names
    this.films = [];
    this.turn = 0;
  }

  /**
   * Keep what these films consist of, and fetch what is missing.
   * @param {Film[]} films
   * @param {() => number} frame in sight: what is nearest to it comes first
   * @param {(problem?: boolean) => void} told that a piece has come, or that one will not
   */
  async complete(films, frame, told) {
    const turn = ++this.turn;
    this.films = films;
    for (const [name, { sheet }] of this.held) {
      if (this.wants(name)) continue;
      sheet.close();
      this.held.delete(name);
    }
    const work = async () => {
      for (let next; turn === this.turn && (next = this.missing(frame())); ) {
        const { name } = next;
        this.coming.add(name);
        try {
          const content = await fetched(name, () => this.wants(name));
          if (content) await this.decode(next, content);
          told();
        } catch {
          next.lost = true;
          told(true);
        } finally {
          this.coming.delete(name);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  wants(name) {
    return this.films.some((film) => film.pieces.some((piece) => piece.name === name));
  }

  /** The piece nearest to that frame which is neither here nor on its way. */
  missing(frame) {
    let nearest;
    for (const film of this.films) {
      for (const piece of film.pieces) {
        if (piece.lost || this.held.has(piece.name) || this.coming.has(piece.name)) continue;
        const away = Math.max(piece.first - frame, frame - (piece.first + piece.count - 1), 0);
        if (!nearest || away < nearest.away) nearest = { piece, away };
      }
    }
    return nearest?.piece;
  }

  async decode(piece, content) {
    const blob = new Blob([content.subarray(0, piece.png)], { type: "image/png" });
    const sheet = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    const packed = content.slice(piece.png).buffer; // a copy, because it has to begin at an even byte
    this.held.get(piece.name)?.sheet.close();
    // Little-endian, as every browser's machine is; where nothing was sent, the film takes it from the pictures.
    this.held.set(piece.name, { sheet, delta: packed.byteLength ? new Int16Array(packed) : null, largest: [] });
  }

  close() {
    this.turn++;
    this.films = [];
    for (const { sheet } of this.held.values()) sheet.close();
    this.held.clear();
  }
}

class Film {
  /**
   * @param {{ width: number, height: number, pieces: { name: string, count: number, unit: number, png: number, content?: string }[] }} row
   * @param {Pieces} store where its pieces are
   */
  constructor({ width, height, pieces }, store) {
    this.width = width;
    this.height = height;
    this.store = store;
    let first = -1; // where the reference stands
    this.pieces = pieces.map((piece) => {
      const placed = { ...piece, first, lost: false };
      first += piece.count;
      return placed;
    });
    this.places = this.pieces.flatMap((piece) => Array.from({ length: piece.count }, (_, i) => ({ piece, i })));
    this.context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  }

  /** Decode what has come with the page. */
  async unpack() {
    const sent = this.pieces.filter(({ name, content }) => content && !this.store.held.has(name));
    await Promise.all(sent.map((piece) => this.store.decode(piece, bytes(piece.content))));
  }

  /** Where a frame is, if it is here: which picture of its piece, and where in it its perturbation begins. */
  place(frame) {
    const { piece, i } = this.places[frame + 1] ?? {};
    const held = piece && this.store.held.get(piece.name);
    if (!held) return undefined;
    const nth = piece.first < 0 ? i - 1 : i;
    return { piece, held, i, nth, at: nth * this.width * this.height * 3 };
  }

  /** The perturbations in a piece: what was sent, or what its frames have more than the reference. */
  delta({ piece, held }) {
    held.delta ??= this.differences(piece);
    return held.delta;
  }

  has(frame) {
    return Boolean(this.place(frame));
  }

  /** By how much the frame differs from the reference where it does so most; 0 while it is not here. */
  largest(frame) {
    const place = this.place(frame);
    if (!place) return 0;
    const { piece, held, nth, at } = place;
    const { largest } = held;
    if (largest[nth] === undefined) {
      const delta = this.delta(place);
      let most = 0;
      for (let i = at; i < at + this.width * this.height * 3; i++) most = Math.max(most, Math.abs(delta[i]));
      largest[nth] = most * piece.unit;
    }
    return largest[nth];
  }

  draw(context, frame) {
    const { width, height } = this;
    const { held, i } = this.place(frame);
    context.imageSmoothingEnabled = false;
    context.drawImage(held.sheet, i * width, 0, width, height, 0, 0, width, height);
  }

  amplify(rgba, frame, gain) {
    const place = this.place(frame);
    const delta = this.delta(place);
    const scale = gain * place.piece.unit * 255;
    for (let i = place.at, j = 0; j < rgba.length; i += 3, j += 4) {
      rgba[j] = 127.5 + scale * delta[i]; // the clamped array rounds and clamps
      rgba[j + 1] = 127.5 + scale * delta[i + 1];
      rgba[j + 2] = 127.5 + scale * delta[i + 2];
    }
  }

  levels(frame) {
    this.context.clearRect(0, 0, this.width, this.height);
    this.draw(this.context, frame);
    return this.context.getImageData(0, 0, this.width, this.height).data;
  }

  /** The levels of a frame; none while it is not here. */
  pixels(frame) {
    return this.has(frame) ? this.levels(frame).filter((_, i) => i % 4 !== 3) : new Uint8ClampedArray();
  }

  /** In levels of 8 bits. */
  differences(piece) {
    const behind = piece.first < 0 ? 1 : 0; // the reference
    const found = new Int16Array((piece.count - behind) * this.width * this.height * 3);
    const reference = this.levels(-1);
    for (let f = behind, at = 0; f < piece.count; f++) {
      const frame = this.levels(piece.first + f);
      for (let i = 0; i < frame.length; i += 4) {
        for (let colour = i; colour < i + 3; colour++) found[at++] = frame[colour] - reference[colour];
      }
    }
    return found;
  }
}

/** Fetch a piece, with patience; nothing where it is not wanted any more. */
async function fetched(name, wanted) {
  for (let tried = 1; wanted(); tried++) {
    try {
      const answer = await fetch(`_pieces/${name}`); // beside the page, wherever a proxy has put the app
      if (!answer.ok) throw new Error(`a piece did not come: ${answer.status}`);
      return new Uint8Array(await answer.arrayBuffer());
    } catch (problem) {
      if (tried === TRIES) throw problem;
      await new Promise((done) => setTimeout(done, AGAIN_MS * 2 ** (tried - 1)));
    }
  }
}

function bytes(base64) {
  const raw = atob(base64);
  const found = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) found[i] = raw.charCodeAt(i);
  return found;
}
