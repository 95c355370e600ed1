/** Small plots as SVG. All take plain numbers; colours come from the stylesheet. */
import { s } from "./dom.js";

const round = (x) => Math.round(x * 100) / 100;

/**
 * Bars of one value a second, newest right; seconds without any stay empty. The scale is from zero. A burst more than
 * three times the usual would flatten all the rest: it is cut at the top, and marked so.
 */
export function bars(svg, values, mean) {
  const n = values.length;
  const some = values.filter((value) => value > 0).sort((a, b) => a - b);
  const usual = some.length ? some[Math.floor((some.length - 1) * 0.9)] : 1;
  const most = some.length ? some[some.length - 1] : 1;
  const high = Math.max(1, most > 3 * usual ? 1.6 * usual : most * 1.08);
  let d = "";
  let cut = "";
  values.forEach((value, i) => {
    if (value <= 0) return;
    d += `M${round(i + 0.12)} 100V${round(100 - Math.min(1, value / high) * 100)}h.76V100z`;
    if (value > high) cut += `M${round(i + 0.12)} 0h.76v3h-.76z`;
  });
  svg.setAttribute("viewBox", `0 0 ${n} 100`);
  const y = round(100 - (mean / high) * 100);
  svg.replaceChildren(
    s("path", { class: "bars", d }),
    s("path", { class: "cut", d: cut }),
    mean > 0 ? s("path", { class: "mean", d: `M0 ${y}H${n}`, fill: "none" }) : "",
  );
}

/** How values lie between the least and the greatest: a bar a step, and a line at the median. */
export function spread(histogram, low, middle, high, label) {
  const svg = s("svg", { class: "spread", role: "img", "aria-label": label, viewBox: "0 0 128 22", preserveAspectRatio: "none" });
  svg.append(s("path", { class: "base", d: "M0 21.5H128" }));
  const most = Math.max(1, ...histogram);
  const step = 128 / Math.max(1, histogram.length);
  histogram.forEach((n, i) => {
    if (n > 0) {
      const height = Math.max(2, Math.sqrt(n / most) * 19);
      svg.append(s("rect", { x: round(i * step + 0.4), y: round(21 - height), width: round(step - 0.8), height: round(height) }));
    }
  });
  if (high > low) {
    const x = round(((middle - low) / (high - low)) * 128);
    svg.append(s("path", { class: "mid", d: `M${x} 1V22` }));
  }
  return svg;
}

/** A line of the last values with a dot at the newest; a missing one is a gap. */
export function trend(results, label) {
  const svg = s("svg", { class: "trend", role: "img", "aria-label": label, viewBox: "0 0 110 22" });
  const known = results.filter((x) => x !== null);
  if (known.length < 2) return svg;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const x = (i) => 3 + (i / (results.length - 1)) * 102;
  const y = (v) => (high > low ? 19 - ((v - low) / (high - low)) * 16 : 11);
  let d = "";
  let pen = false;
  results.forEach((v, i) => {
    if (v === null) {
      pen = false;
    } else {
      d += `${pen ? "L" : "M"}${round(x(i))} ${round(y(v))}`;
      pen = true;
    }
  });
  svg.append(s("path", { d }));
  const last = results[results.length - 1];
  if (last !== null) svg.append(s("circle", { cx: round(x(results.length - 1)), cy: round(y(last)), r: 2 }));
  return svg;
}

/** Points on a plane true to the ground at this latitude. One path a state: thousands of points stay cheap. */
export function points(svg, places) {
  const lat = places.map((p) => p.latitude);
  const lon = places.map((p) => p.longitude);
  const middle = ((Math.min(...lat) + Math.max(...lat)) / 2) * (Math.PI / 180);
  const squeeze = Math.cos(middle);
  const west = Math.min(...lon) * squeeze;
  const north = Math.max(...lat);
  const width = Math.max(...lon) * squeeze - west || 0.1;
  const height = north - Math.min(...lat) || 0.1;
  const scale = 400 / Math.max(width, height);
  const r = places.length > 1200 ? 1.6 : places.length > 400 ? 2.2 : 3;
  const paths = { never: "", late: "", live: "" };
  for (const place of places) {
    const x = round((place.longitude * squeeze - west) * scale);
    const y = round((north - place.latitude) * scale);
    paths[place.state] += `M${round(x - r)} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  }
  svg.setAttribute("viewBox", `-6 -6 ${round(width * scale + 12)} ${round(height * scale + 12)}`);
  svg.replaceChildren(...Object.entries(paths).map(([state, d]) => (d ? s("path", { class: state, d }) : "")));
}
