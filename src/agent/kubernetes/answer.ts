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
  { body }: HttpResponse,
  path: string,
  schema: Schema,
): z.output<Schema> {
  return expected(readJson(schema, body), path);
}

/** Returns what a schema read in an answer; throws `UnexpectedAnswer` if the answer did not match it. */
export function expected<Data>({ success, data, error }: Parsed<Data>, path: string): Data {
  if (success) {
    return data;
  }
  const message = `The Kubernetes API answers ${path} with something else: ${jsonFault(error)}. It is asked again.`;
  throw new NodeError('UnexpectedAnswer', message, { cause: error });
}
