// Microseconds beyond the delay, of the layer's and of `setTimeout`, in turns; JSON on standard error, records go to the log.
//
//   node delays.mjs HANDLER MS TIMES

const [file, delay, times] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const { handler } = await import(file);
const beyond = { injected: [], "the language's own": [] };
const now = () => Number(process.hrtime.bigint()) / 1000;

for (let number = 0; number < times; number += 1) {
  const due = Date.now() + 900_000;
  const context = {
    awsRequestId: `8f5c7d1e-7b61-11e6-9a41-${String(number).padStart(12, '0')}`,
    getRemainingTimeInMillis: () => due - Date.now(),
  };
  let begun = now();
  await handler({}, context);
  beyond.injected.push(now() - begun - delay * 1000);
  begun = now();
  await new Promise((resolve) => setTimeout(resolve, delay));
  beyond["the language's own"].push(now() - begun - delay * 1000);
}
console.error(JSON.stringify(beyond));
