/** An answer of the Kubernetes API: JSON, for an error a Status (k8s.io/apimachinery, meta/v1). */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const unauthorized = status(401, 'Unauthorized', 'Unauthorized');

export function status(code: number, reason: string, message: string): Reply {
  return json(code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code });
}

export function json(code: number, value: unknown): Reply {
  return { status: code, body: `${JSON.stringify(value)}\n`, type: 'application/json' };
}
