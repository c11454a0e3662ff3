import type * as z from 'zod/mini';
import { NodeError } from '../engine/errors.ts';
import type { HttpRequest, HttpResponse } from '../engine/host.ts';
import { jsonFault, type Parsed, readJson } from '../engine/json.ts';

/** Returns the answer of the API; throws `ApiUnavailable` if none arrives. */
export async function answered(
  request: HttpRequest,
  send: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  try {
    return await send();
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
    const { origin } = new URL(request.url);
    throw new NodeError(
      'ApiUnavailable',
      `The Kubernetes API at ${origin} does not answer this node: ${thrown.message}`,
      { cause: thrown },
    );
  }
}

/** Returns the object in an answer; throws `UnexpectedAnswer` if the answer does not match the schema. */
export function objectIn<Schema extends z.ZodMiniType>(
  response: HttpResponse,
  path: string,
  schema: Schema,
): z.output<Schema> {
  return expected(
    readOnce(response, schema, () => readJson(schema, response.body)),
    path,
  );
}

/** What the schemas read in answers and in parts of answers. */
const known = new WeakMap<object, Map<z.ZodMiniType, unknown>>();

/**
 * Returns what `read` reads in an answer, or in a part of an answer, with a schema. Calls `read` only once for each
 * answer and schema, because several Resources get the same answer in a pass (engine/asking-once.ts). The result must
 * depend on both alone, and must not be modified.
 */
export function readOnce<Read extends object>(answer: object, schema: z.ZodMiniType, read: () => Read): Read {
  const before = known.get(answer)?.get(schema) as Read | undefined;
  if (before !== undefined) {
    return before;
  }
  const result = read();
  known.set(answer, (known.get(answer) ?? new Map<z.ZodMiniType, unknown>()).set(schema, result));
  return result;
}

/** Returns what a schema read in an answer; throws `UnexpectedAnswer` if the answer did not match it. */
export function expected<Data>({ success, data, error }: Parsed<Data>, path: string): Data {
  if (success) {
    return data;
  }
  const message = `The Kubernetes API answers ${path} with something else: ${jsonFault(error)}. It is asked again.`;
  throw new NodeError('UnexpectedAnswer', message, { cause: error });
}
