// Palette pixels as round lights on a canvas: each a whole number of the screen's own pixels, as large as they fit.

import { DIM } from "./wall_scene.js";

const DIM_PERCENT = 35;
const COLOURS = 16; // two times the palette, the second half dim
const ROUND_FROM = 3; // pixels of the screen a light; smaller ones are square

export class Lights {
  // `colours` are red, green and blue of each.
  constructor(canvas, w, h, colours) {
    Object.assign(this, { canvas, w, h, colours, dot: 0, percent: 0, dots: null });
    this.shown = new Uint8Array(w * h).fill(255); // 255: not drawn yet
  }

  // Fills a box of so many pixels of the screen, black around; `ratio` of them are one of the page's.
  fit(width, height, ratio) {
    const dot = Math.max(1, Math.floor(Math.min(width / this.w, height / this.h)));
    const shrunk = Math.min(1, width / this.w, height / this.h); // more lights than the screen has pixels
    const [wide, high] = [this.w * dot, this.h * dot];
    const left = Math.max(0, Math.floor((width - wide * shrunk) / 2));
    const top = Math.max(0, Math.floor((height - high * shrunk) / 2));
    Object.assign(this.canvas.style, {
      width: `${(wide * shrunk) / ratio}px`, height: `${(high * shrunk) / ratio}px`,
      left: `${left / ratio}px`, top: `${top / ratio}px`,
    });
    if (dot === this.dot && this.canvas.width === wide && this.canvas.height === high) return;
    [this.canvas.width, this.canvas.height] = [wide, high];
    this.pen = this.canvas.getContext("2d", { alpha: false });
    this.dot = dot;
    this.dots = null;
  }

  // Shows a picture; 0 per cent is dark. Only lights that differ are drawn.
  show({ pixels }, percent) {
    if (!this.dot) return;
    if (!this.dots || percent !== this.percent) {
      this.percent = percent;
      this.dots = dotsOf(this.dot, this.colours, percent);
      this.shown.fill(255);
    }
    const { w, dot, shown, dots, pen } = this;
    for (let at = 0; at < pixels.length; at++) {
      if (shown[at] === pixels[at]) continue;
      shown[at] = pixels[at];
      const [x, y] = [(at % w) * dot, Math.floor(at / w) * dot];
      pen.drawImage(dots, pixels[at] * dot, 0, dot, dot, x, y, dot, dot);
    }
  }
}

// A light of each colour, side by side on black.
function dotsOf(dot, colours, percent) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [COLOURS * dot, dot];
  const pen = canvas.getContext("2d", { alpha: false });
  pen.fillRect(0, 0, canvas.width, dot);
  for (let pixel = 0; pixel < COLOURS; pixel++) {
    const colour = colours[pixel % DIM];
    if (!colour) continue;
    const share = ((pixel < DIM ? 100 : DIM_PERCENT) * percent) / 10000;
    pen.fillStyle = `rgb(${colour.map((part) => Math.floor(part * share)).join(", ")})`;
    pen.beginPath();
    if (dot < ROUND_FROM) pen.rect(pixel * dot, 0, dot, dot);
    else pen.arc((pixel + 0.5) * dot, dot / 2, dot * 0.46, 0, 2 * Math.PI);
    pen.fill();
  }
  return canvas;
}
