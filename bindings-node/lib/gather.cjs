'use strict';
// Owns gathering the leaves of an event along the paths that a plan's patterns name: reading a property costs JavaScript
// next to nothing, and native code a lot. Copies nothing else, and looks at nothing else.

/** Tells that an event has something on a path that must be walked with the rules of the engine: an array, a dotted key. */
const WALK = Symbol('walk');

/**
 * A function that gives the leaves of an event in the order of `paths` (undefined where there is none), with room for `others`
 * before them, or `WALK`.
 */
function gatherer(paths, others = 0) {
  const readers = paths.map(reader);
  if (readers.includes(undefined)) return () => WALK;
  return (event) => {
    if (typeof event !== 'object' || event === null || Array.isArray(event)) return WALK;
    const leaves = new Array(others + readers.length);
    for (let index = 0; index < readers.length; index += 1) {
      const leaf = readers[index](event);
      if (leaf === WALK) return WALK;
      leaves[others + index] = leaf;
    }
    return leaves;
  };
}

/** Reads one path of an object that is no array. */
function reader(path) {
  const names = path.split('.');
  // What is inherited under other names are functions, which JSON has not.
  if (names.includes('__proto__')) return undefined;
  // One key with dots in it is the same path as several keys.
  const dotted = (level) =>
    Array.from({ length: names.length - level - 1 }, (_, more) => names.slice(level, level + 2 + more).join('.'));
  const levels = names.map((name, level) => ({ name, dotted: dotted(level) }));
  return (event) => {
    let at = event;
    for (const { name, dotted } of levels) {
      if (typeof at !== 'object' || at === null) return undefined;
      if (Array.isArray(at)) return WALK;
      for (const key of dotted) if (at[key] !== undefined) return WALK;
      at = at[name];
    }
    return typeof at === 'object' && at !== null ? WALK : at;
  };
}

/** What the engine, where it walks an array, asks for the numbers in it: many at once, since each question costs. */
function runs() {
  const room = new Float64Array(1024);
  /** Puts the numbers from an index on into `room`, up to what is none or its end, and says how many. */
  const take = (array, from) => {
    let count = 0;
    for (; count < room.length; count += 1) {
      const number = array[from + count];
      if (typeof number !== 'number') break;
      room[count] = number;
    }
    return count;
  };
  return { room, take };
}

module.exports = { gatherer, runs, WALK };
