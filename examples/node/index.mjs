// The sample function: it greets, and knows nothing of Faultlayer.

export const handler = async () => ({
  statusCode: 200,
  body: "Hello from Lambda",
});
