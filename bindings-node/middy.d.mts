import { faultlayer } from './middy.js';

export { faultlayer };
export default faultlayer;
