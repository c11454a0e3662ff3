import * as z from 'zod/mini';
import { parseJson } from '../../../engine/json.ts';
import { rememberingObjects } from '../../../engine/remembering.ts';
import { wishKinds } from '../../k3s/index.ts';

/** The keys of the annotations with which nodes take turns; each node has its own on its Node. */
export const turnKeys = {
  request: 'slipway.dev/turn-request',
  grant: 'slipway.dev/turn-grant',
  state: 'slipway.dev/turn-state',
  stopped: 'slipway.dev/turn-stopped',
} as const;

/** The key of the annotation with which a node shows that a person holds it; the value says why. */
export const holdKey = 'slipway.dev/hold';

/** The key of the annotation with which a server shows how far it is with a new join token. */
export const tokenKey = 'slipway.dev/join-token';

/** The key of the annotation with the cloud's id of the VM. */
export const vmIdKey = 'slipway.dev/vm-id';

const words = z.string().check(z.minLength(1), z.maxLength(200));
const hex = z.string().check(z.regex(/^[0-9a-f]{8,32}$/));

const request = z.object({
  /** The name of the wish, by which the fleet's failures are counted. */
  wish: words,
  kind: z.enum(wishKinds),
  digest: hex,
  /** The boot of the node that asks; a grant to an earlier boot is void. */
  boot: hex,
  /** True if the node evicts its pods first. */
  drain: z.boolean(),
  /** True for a server. */
  server: z.boolean(),
  /** True if other hosts reach the network through this node. */
  routes: z.boolean(),
  /** True while the maintenance windows of the node are closed, so that only a grant with `now` lets it begin. */
  closed: z.optional(z.boolean()),
  /** True if the health and the failures of other nodes must not delay the node, as with a certificate near its end. */
  urgent: z.optional(z.boolean()),
});

const grant = z.object({
  digest: hex,
  boot: hex,
  /** A random value that no other grant has. */
  nonce: hex,
  /** For how many seconds the node may begin, counted by the node from its first sight of the nonce. */
  seconds: z.int().check(z.positive(), z.maximum(86_400)),
  /** True if no other node could run the pods of this node, so that it is not drained. */
  nowhere: z.boolean(),
  /** True if a person lets this node begin outside its maintenance windows (`slipway turn now`). */
  now: z.optional(z.boolean()),
});

/**
 * What replaces a grant that was withdrawn. The nonce stays on the Node, so that a former holder of the Lease, which
 * still knows the grant, does not write it again.
 */
const withdrawal = z.object({ withdrawn: hex });

const state = z.object({
  nonce: hex,
  digest: hex,
  wish: words,
  state: z.enum(['begun', 'done', 'rolledBack', 'gaveUp']),
  message: z.string().check(z.maxLength(1_000)),
  /** Why a turn was given up; absent if its drain was given up. */
  reason: z.optional(z.enum(['TurnGivenUp'])),
});

const stopped = z.array(
  z.object({
    wish: words,
    digest: hex,
    /** The rest of a sentence that begins with the name of the node, such as `waits because agent-1 failed`. */
    why: z.string().check(z.maxLength(300)),
  }),
);

const token = z.object({
  /** The digest of the new token. */
  to: hex,
  /** `file` once the next start of K3s uses the new token, `started` once K3s has started with it. */
  state: z.enum(['file', 'started']),
});

/** How far a server is with a new join token; written by the server while the Lease shows a rotation. */
export type TokenAnnotation = z.output<typeof token>;

/** Reads how far a server is with a new join token; `undefined` if it does not have it. */
export function readToken(annotations: Readonly<Record<string, string>>): TokenAnnotation | undefined {
  return readValue(token, annotations[tokenKey]);
}

/** A wish of the node for which it gets no turn after a failure; written by the server that holds the Lease. */
export type StoppedRequest = z.output<typeof stopped>[number];
/** What a node asks for; written by the node. */
export type TurnRequest = z.output<typeof request>;
/** The permission to begin one interruption; written by the server that holds the Lease. */
export type TurnGrant = z.output<typeof grant>;
/** How far a node is in its turn; written by the node. */
export type TurnState = z.output<typeof state>;

/** What the annotations of a Node say; each is absent if it is missing or not what Slipway writes. */
export interface TurnAnnotations {
  readonly request?: TurnRequest | undefined;
  readonly grant?: TurnGrant | undefined;
  readonly state?: TurnState | undefined;
  /** The nonce of the last grant, if it was withdrawn. */
  readonly withdrawn?: string | undefined;
  readonly stopped?: readonly StoppedRequest[] | undefined;
}

/** The longest annotation that is read, in characters; Slipway's own are far shorter. */
const longest = 4_096;

/**
 * True from the beginning of a turn to its end, unless a person has released the turn: then the Node shows that it was
 * withdrawn, or already has another grant.
 */
export function isBegun({ state, grant, withdrawn }: TurnAnnotations): boolean {
  return (
    state?.state === 'begun' &&
    state.nonce !== withdrawn &&
    (grant === undefined || grant.nonce === state.nonce)
  );
}

/**
 * Reads the annotations of turns among those of a Node, which must not be modified. Any user who may change the Node
 * may have written them.
 */
export function readTurn(annotations: Readonly<Record<string, string>>): TurnAnnotations {
  return turnIn(annotations);
}

/** Reads each Node only once, because several Resources read it in a pass. */
const turnIn = rememberingObjects((annotations: Readonly<Record<string, string>>): TurnAnnotations => {
  const granted = readValue(grantOrWithdrawal, annotations[turnKeys.grant]);
  const isWithdrawn = granted !== undefined && 'withdrawn' in granted;
  return {
    request: readValue(request, annotations[turnKeys.request]),
    grant: isWithdrawn ? undefined : granted,
    state: readValue(state, annotations[turnKeys.state]),
    withdrawn: isWithdrawn ? granted.withdrawn : undefined,
    stopped: readValue(stopped, annotations[turnKeys.stopped]),
  };
});

const grantOrWithdrawal = z.union([grant, withdrawal]);

/** Reads an annotation, unless it is missing: most nodes have none, and a failed parse costs more than a good one. */
function readValue<Schema extends z.ZodMiniType>(
  schema: Schema,
  text: string | undefined,
): z.output<Schema> | undefined {
  return text === undefined || text.length > longest ? undefined : parseJson(schema, text);
}

/** Returns the value that replaces a withdrawn grant on its Node. */
export function withdrawnText(nonce: string): string {
  return JSON.stringify({ withdrawn: nonce } satisfies z.output<typeof withdrawal>);
}
