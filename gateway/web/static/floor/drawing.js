// The house's own drawing of its floor: where on it each desk is. Asked for only where there is one.

const MEASURED = 1000; // px wide while it is measured

// { image, ratio, at }: `at` by desk's id is [left, top, width, height] as parts of the whole. Throws without one.
export async function readDrawing() {
  const answer = await fetch("api/floor-plan.svg", { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(await answer.text());
  const svg = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
  const ratio = Number(svg.getAttribute("width")) / Number(svg.getAttribute("height"));
  const at = measured(svg, ratio);
  const image = document.createElement("img");
  image.id = "drawing";
  image.alt = "";
  const tag = answer.headers.get("etag") ?? "";
  image.src = "api/floor-plan.svg?" + encodeURIComponent(tag.replaceAll('"', "")); // another drawing is another address
  return { image, ratio, at };
}

// The browser knows best what transforms, clones and letters come to. In a shadow its ids are nobody else's.
function measured(svg, ratio) {
  const host = document.createElement("div");
  host.className = "measured";
  host.attachShadow({ mode: "closed" }).append(svg);
  svg.setAttribute("width", MEASURED);
  svg.setAttribute("height", MEASURED / ratio);
  for (const image of svg.querySelectorAll("image")) image.removeAttribute("href"); // its size is told without it
  document.body.append(host);
  const whole = svg.getBoundingClientRect();
  const at = new Map();
  for (const element of svg.querySelectorAll("[data-desk]")) {
    const box = element.getBoundingClientRect();
    const [x, y] = [(box.left - whole.left) / whole.width, (box.top - whole.top) / whole.height];
    const [wide, high] = [box.width / whole.width, box.height / whole.height];
    const [middle, centre] = [x + wide / 2, y + high / 2];
    const outside = middle < 0 || middle > 1 || centre < 0 || centre > 1;
    if (wide + high > 0 && !outside) at.set(element.dataset.desk, [x, y, wide, high]);
  }
  host.remove();
  return at;
}
