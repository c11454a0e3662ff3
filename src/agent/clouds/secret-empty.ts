import { NodeError, type NodeErrorOptions } from '../engine/errors.ts';

/** Returns the error `SecretEmpty`, for a secret that has an empty value in the vault. */
export function secretEmpty(name: string, options: NodeErrorOptions = {}): NodeError {
  return new NodeError('SecretEmpty', `The secret ${name} is empty. Store its value in the vault.`, options);
}
