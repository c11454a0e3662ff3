import { NodeError } from '../engine/errors.ts';

const part = '[A-Za-z0-9_][A-Za-z0-9._-]*';

/** The form of the names of objects, and of the part of `backup.to` below a bucket, as the source of an expression. */
export const objectName = `${part}(?:/${part})*`;

const wholeName = new RegExp(`^${objectName}$`);
/** The largest length of a name. Azure allows 1024 characters with a prefix, a folder 255 in each part. */
const longest = 512;

/** True for a name that Slipway gives to objects. */
export function isObjectName(name: string): boolean {
  return (
    wholeName.test(name) && name.length <= longest && name.split('/').every((each) => each.length <= 200)
  );
}

/**
 * Returns the name of an object. Throws `InternalError` for any other text: a name never needs to be encoded in a URL,
 * and cannot lead out of a folder.
 */
export function checkedName(name: string): string {
  if (isObjectName(name)) {
    return name;
  }
  throw new NodeError(
    'InternalError',
    'An object of a store cannot have this name. This is a defect in Slipway.',
  );
}

/** Returns the start of names of objects. Throws as `checkedName` does. */
export function checkedPrefix(prefix: string): string {
  return prefix === ''
    ? prefix
    : prefix.endsWith('/')
      ? `${checkedName(prefix.slice(0, -1))}/`
      : checkedName(prefix);
}
