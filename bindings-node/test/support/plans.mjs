// Plans of one fault that fires always, and one that never does but might.

export const plan = (...faults) => ({
  version: 1,
  experiment: 'node-tests',
  seed: 7,
  expires_at: '2099-01-01T00:00:00Z',
  faults,
});
export const always = (fault) => plan({ id: 'it', rate: 1, ...fault });
/** In force and drawn for every invocation, but for no id that a test uses. */
export const IDLE = plan({ id: 'rare', kind: 'error', rate: 1e-15, type: 'Error', message: 'never' });
