// What the duel works out by itself: how a picture moves, what a camera's picture is cut to, what is counted, what is promised.

const WINDOW = 100; // frames that are counted

/**
 * Where a picture that moves is after t seconds: its shift in shares of its side, its angle in radians, its zoom. It begins at
 * rest, and its zoom always covers what shift and angle lay bare.
 */
function motion(t) {
  const angle = 0.1 * Math.sin(0.6 * t);
  const x = 0.035 * Math.sin(0.9 * t);
  const y = 0.03 * Math.sin(1.3 * t);
  const bare = (Math.cos(angle) + Math.abs(Math.sin(angle))) * (1 + 2 * Math.max(Math.abs(x), Math.abs(y)));
  return { x, y, angle, zoom: bare + 0.04 * (1 - Math.cos(0.4 * t)) };
}

/** The square in the middle of a picture, the smaller the larger the zoom. */
function squareOf(width, height, zoom = 1) {
  const side = Math.min(width, height) / Math.max(1, zoom);
  return { x: (width - side) / 2, y: (height - side) / 2, side };
}

/** Leave out the fourth channel. */
function rgbOf(rgba) {
  const pixels = new Uint8ClampedArray((rgba.length / 4) * 3);
  for (let i = 0, at = 0; i < rgba.length; i += 4) {
    pixels[at++] = rgba[i];
    pixels[at++] = rgba[i + 1];
    pixels[at++] = rgba[i + 2];
  }
  return pixels;
}

/** Add whether a frame fooled to those before it, of which the last WINDOW are kept. */
function counted(before, fooled) {
  return [...before, fooled].slice(-WINDOW);
}

/** How often it fooled, in words. */
function tally(frames) {
  if (!frames.length) return "";
  const hits = frames.filter(Boolean).length;
  return `fooled in ${hits} of the last ${frames.length} frame${frames.length === 1 ? "" : "s"}`;
}

/** What becomes of the camera's pictures, by the host that this page came from. */
function promise(hostname, side) {
  const here = hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  return here
    ? "Nothing leaves this machine: the program that attacks the camera's pictures runs on it, and keeps none of them."
    : `The camera's pictures leave this machine, at ${side} × ${side} pixels: ${hostname} attacks them in its memory and keeps none of them.`;
}

/** Why there is no picture from the camera, and what would help. */
function refusal(name) {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "The browser was not allowed to use the camera. Allow it beside the address, then press the button again.";
    case "OverconstrainedError":
    case "gone":
      return "The camera has gone. The picture moves on; plug the camera in, then press the button again.";
    case "silent":
      return "The camera sends no picture any more: uncover it, or see whether another program has taken it.";
    case "NotFoundError":
      return "There is no camera on this machine. The picture that moves does the same.";
    case "NotReadableError":
    case "AbortError":
      return "The camera is busy: another program or tab has it. Close that one, then press the button again.";
    case "insecure":
      return "Browsers give their camera only to this machine's own pages and to https. Open the app on this machine, or behind https.";
    default:
      return `The camera did not start (${name}).`;
  }
}
