'use strict';
// Owns finding the package's addon: under native/, one for each platform.

const FILE = `../native/faultlayer-${process.platform}-${process.arch}.node`;

let loaded;

/** The addon. Throws which file cannot be loaded. */
function native() {
  try {
    loaded ??= require(FILE);
    return loaded;
  } catch (error) {
    throw new Error(`the engine cannot be loaded (${FILE}: ${error.message.split('\n', 1)[0]})`);
  }
}

module.exports = { native };
