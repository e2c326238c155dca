// Pictures on their way: 8-bit RGB, row by row, as base64; the other end is pages/ui/live.py.

/** Read a picture (H W 3). */
function unpack(base64) {
  const raw = atob(base64);
  const pixels = new Uint8ClampedArray(raw.length);
  for (let i = 0; i < raw.length; i++) pixels[i] = raw.charCodeAt(i);
  return pixels;
}

/** Write one. */
function pack(pixels) {
  let raw = "";
  for (let i = 0; i < pixels.length; i++) raw += String.fromCharCode(pixels[i]);
  return btoa(raw);
}

/** Draw one, a pixel a pixel. */
function paint(canvas, pixels, size) {
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[3 * i + c];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
