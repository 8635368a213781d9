// Calls the handler that the layer hands the client, in the Node of the other architecture: one line of JSON an event.
const { handler } = await import(process.argv[2]);

for (const [number, event] of JSON.parse(process.argv[3]).entries()) {
  const context = {
    awsRequestId: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:sample',
    getRemainingTimeInMillis: () => 3000,
  };
  const began = performance.now();
  let said;
  try {
    said = { answer: await handler(event, context) };
  } catch (error) {
    said = { error: error.name, message: error.message };
  }
  console.log(`said ${JSON.stringify({ ...said, took_ms: performance.now() - began })}`);
}
process.exit();
