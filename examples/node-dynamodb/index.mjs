// Keeps an order in DynamoDB, with the SDK's own retries; where that fails, its caller is told to come again.

import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const client = new DynamoDBClient({
  maxAttempts: Number(process.env.ATTEMPTS ?? 3),
});

export const handler = async (_event, { awsRequestId }) => {
  const order = { TableName: "orders", Item: { id: { S: awsRequestId } } };
  try {
    await client.send(new PutItemCommand(order));
  } catch (error) {
    return { statusCode: 503, body: error.name };
  }
  return { statusCode: 201, body: "kept" };
};
