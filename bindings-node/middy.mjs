// The Middy middleware, for `import`.

import faultlayer from './middy.cjs';

export { faultlayer };
export default faultlayer;
