/** Numbers, units, ages and sizes in the reader's language. */
import { spoken } from "./text.js";

const LOCALE = { vi: "vi-VN", en: "en-GB" };
const formats = new Map();

function numberFormat(digits, least = digits) {
  const key = `${spoken()} ${digits} ${least}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(LOCALE[spoken()], { minimumFractionDigits: least, maximumFractionDigits: digits }));
  }
  return formats.get(key);
}

/** A count: 1.846 / 1,846. */
export function count(n) {
  return numberFormat(0).format(n);
}

/** A rate: whole from 100 on, one digit after the point below. */
export function rate(n) {
  return numberFormat(n >= 100 || n === 0 ? 0 : 1).format(n);
}

function superscript(power) {
  return String(Number(power)).replace(/[-0-9]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
}

/** A measured value, to about four figures; very large and very small ones with a power of ten. */
export function value(x) {
  if (x === null || x === undefined) return "–";
  const size = Math.abs(x);
  if (size !== 0 && (size >= 1e10 || size < 1e-4)) {
    const [mantissa, power] = x.toExponential(2).split("e");
    return `${numberFormat(2).format(Number(mantissa))} × 10${superscript(power)}`;
  }
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4;
  return numberFormat(digits, 0).format(x);
}

const AGE = { vi: [" s", " phút", " giờ", " ngày"], en: [" s", " min", " h", " d"] };

/** An age or a span: 8 s, 6 phút, 3 giờ, 2 ngày. */
export function span(seconds) {
  const names = AGE[spoken()];
  const s = Math.max(0, seconds);
  if (s < 60) return count(Math.floor(s)) + names[0];
  if (s < 3600) return count(Math.floor(s / 60)) + names[1];
  if (s < 86400) return count(Math.floor(s / 3600)) + names[2];
  return count(Math.floor(s / 86400)) + names[3];
}

/** A short delay, with tenths below ten seconds. */
export function delay(seconds) {
  return seconds < 10 ? `${numberFormat(1).format(Math.max(0, seconds))} s` : span(seconds);
}

/** A wall-clock time at +07, where the province is, whatever the machine's zone. */
export function clock(date, seconds = true) {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: "Asia/Ho_Chi_Minh", hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined,
  }).format(date);
}

/** Bytes. */
export function bytes(n) {
  const names = ["B", "kB", "MB", "GB", "TB"];
  let size = n;
  let i = 0;
  while (size >= 1000 && i < names.length - 1) {
    size /= 1000;
    i += 1;
  }
  return `${numberFormat(size < 10 && i > 0 ? 1 : 0).format(size)} ${names[i]}`;
}

const UNITS = {
  1: "", Cel: "°C", "[degF]": "°F", "ug/m3": "µg/m³", "mg/m3": "mg/m³", m3: "m³", "m3/s": "m³/s", "m3/h": "m³/h",
  "kW.h": "kWh", "W.h": "Wh", "MW.h": "MWh", "V.A": "VA", "kV.A": "kVA", "mm[Hg]": "mmHg", "[ppm]": "ppm", "[ppb]": "ppb",
  deg: "°", "[pH]": "pH", "[NTU]": "NTU", "uS/cm": "µS/cm", "W/m2": "W/m²", "dB[SPL]": "dB", "dB[mW]": "dBm", "Bq/m3": "Bq/m³",
  "uSv/h": "µSv/h", "{count}": "", "/min": { vi: "/phút", en: "/min" }, "{veh}/h": { vi: "xe/giờ", en: "veh/h" },
  "{veh}": { vi: "xe", en: "veh" }, "mm/h": { vi: "mm/giờ", en: "mm/h" }, "m/h": { vi: "m/giờ", en: "m/h" },
};

/** A UCUM code as people write it. */
export function unit(code) {
  const known = UNITS[code];
  if (known === undefined) return code;
  return typeof known === "string" ? known : known[spoken()];
}
