'use strict';
// Owns finding the addon: in a checkout under native/, one for each platform; installed, in a package of the platform's own.

const PLATFORM = `${process.platform}-${process.arch}`;
const FILE = `../native/faultlayer-${PLATFORM}.node`;
const PACKAGE = `@faultlayer/native-${PLATFORM}`;

let loaded;

/** The addon. Throws what cannot be loaded, and why. */
function native() {
  loaded ??= load(FILE) ?? load(PACKAGE);
  if (!loaded)
    throw new Error(`the engine cannot be loaded (${PACKAGE} is not installed, an optional dependency of this package)`);
  return loaded;
}

/** What that place has, or nothing where there is no such place. */
function load(place) {
  try {
    return require(place);
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw new Error(`the engine cannot be loaded (${place}: ${error.message.split('\n', 1)[0]})`);
  }
}

module.exports = { native };
