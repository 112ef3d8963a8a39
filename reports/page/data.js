/* SPDX-License-Identifier: Apache-2.0 */
/* The events of the run, as reports/page.c wrote them: columns of numbers for what is
 * drawn, and the place of each event's bytes, from which its text is made when asked. */
"use strict";

const about = JSON.parse(document.getElementById("about").textContent);
const words = about.words;
const GROUPS = { faults: 1, roles: 2, log: 4, applied: 8, leases: 16, calls: 32, messages: 64, streams: 128,
  disks: 256, starts: 512 };
/* As in sim/record.h. */
const TYPES = { number: 0, index: 1, term: 2, member: 3, id: 4, role: 5, message: 6, wire: 7, request: 8,
  status: 9, step: 10, time: 11, hex: 12 };
/* A kind's number by its text. */
const KIND = {};
about.kinds.forEach((kind, number) => { KIND[kind.text] = number; });

function takeBytes(id) {
  const element = document.getElementById(id);
  const text = atob(element.textContent);
  element.remove();
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    bytes[i] = text.charCodeAt(i);
  }
  return bytes;
}

const bytes = takeBytes("events");
const data = readEvents();

/* Numbers beyond 2^53 are not exact here; only ids and hashes are, and those are only shown. */
function readEvents() {
  const room = Math.ceil(bytes.length / 3) + 1; /* No event is shorter. */
  const time = new Float64Array(room);
  const number = new Float64Array(room);
  const kind = new Uint8Array(room);
  const machine = new Uint16Array(room);
  const field = [0, 1, 2].map(() => new Float64Array(room));
  const peer = new Int32Array(room).fill(-1);
  const noted = new Uint8Array(room);
  const place = new Uint32Array(room);
  let at = 0;
  let count = 0;
  let now = 0;
  let last = 0;

  function varint() {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 127) * unit;
      if (byte < 128) {
        return value;
      }
      unit *= 128;
    }
  }

  while (at < bytes.length) {
    now += varint();
    const head = varint();
    last += head & 2 ? varint() : 1;
    time[count] = now;
    number[count] = last;
    kind[count] = head >> 2;
    machine[count] = varint();
    place[count] = at;
    const info = about.kinds[head >> 2];
    for (let i = 0; i < info.fields.length; i++) {
      const value = varint();
      if (i < 3) {
        field[i][count] = value;
      }
    }
    if (info.ends) {
      const sent = count - varint();
      if (sent < count && sent >= 0 && number[sent] === last - (count - sent)) {
        peer[count] = sent;
        peer[sent] = count;
      }
    }
    noted[count] = head & 1;
    if (head & 1) {
      const size = varint();
      at += size;
    }
    count++;
  }
  return { count, time, number, kind, machine, noted, place, peer, a: field[0], b: field[1], c: field[2] };
}

/* --- words for an event --- */

function machineName(machine) {
  if (machine === 0) {
    return "world";
  }
  return (machine > about.members_max ? "c" : "m") + machine;
}

/* "1.234567891 s", without zeros at its end. */
function timeText(ns, digits = 9) {
  const text = (ns / 1e9).toFixed(digits);
  return (digits > 0 ? text.replace(/\.?0+$/, "") : text) + " s";
}

/* How long something took, in the unit that suits it. */
function spanText(ns) {
  if (ns < 1e3) {
    return `${ns} ns`;
  }
  const [unit, name] = ns < 1e6 ? [1e3, "µs"] : ns < 1e9 ? [1e6, "ms"] : [1e9, "s"];
  return `${parseFloat((ns / unit).toPrecision(4))} ${name}`;
}

function reader(slot) {
  let at = data.place[slot];
  return {
    exact() {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++];
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) {
          return BigInt.asUintN(64, value);
        }
      }
    },
    text(size) {
      const part = bytes.subarray(at, at + size);
      at += size;
      return new TextDecoder().decode(part).replace(/[\x00-\x1f\x7f]/g, "\ufffd");
    },
  };
}

function wordOf(list, value) {
  return value < list.length ? list[Number(value)] : `?${value}`;
}

function valueText(type, value) {
  switch (type) {
    case TYPES.member:
      return value === 0n ? "none" : machineName(Number(value));
    case TYPES.id:
      if (value === 0n) {
        return "none";
      }
      return value <= BigInt(about.machines_max) ? machineName(Number(value)) : value.toString(16);
    case TYPES.role:
      return wordOf(words.roles, value);
    case TYPES.message:
      return wordOf(words.messages, value);
    case TYPES.wire:
      return wordOf(words.wires, value);
    case TYPES.request:
      return wordOf(words.requests, value);
    case TYPES.status:
      return wordOf(words.statuses, value);
    case TYPES.time:
      return `${value / 1000000000n}.${String(value % 1000000000n).padStart(9, "0")}s`;
    case TYPES.hex:
      return value.toString(16);
    default:
      return value.toString();
  }
}

/* As `faultline replay -v` says it, without time and machine. */
function eventText(slot) {
  const info = about.kinds[data.kind[slot]];
  const from = reader(slot);
  let line = info.text;
  for (const [name, type] of info.fields) {
    const speaks = type >= TYPES.role && type <= TYPES.status;
    line += ` ${speaks ? "" : `${name.replace(/_/g, " ")} `}${valueText(type, from.exact())}`;
  }
  if (info.ends) {
    from.exact();
  }
  return data.noted[slot] ? `${line}: ${from.text(Number(from.exact()))}` : line;
}

/* The first event at or after a time. */
function slotAt(ns) {
  let low = 0;
  let high = data.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data.time[middle] < ns) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
