// Starts a client of the third generation as the managed runtimes do: the handler is what `_HANDLER` says by then.

const { run } = await import(process.argv[2]);
await run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
