import { readTurn, turnKeys } from '../../src/agent/parts/maintenance/index.ts';
import type { ApiObject, Objects } from '../lab/standins/k3s-objects.ts';

/** The server of an agent's cluster, of which only the granting of turns is modelled. */
export interface OtherServer {
  /** False while the server grants nothing. */
  isGranting: boolean;
  /** The seconds within which a node must begin its turn. */
  seconds: number;
  /** True if no other node could run the pods of this node. */
  nowhere: boolean;
  /**
   * Grants a turn to each node that asks, unless the node is held or its windows are closed. Withdraws a turn that has
   * ended, or that is neither begun nor wanted.
   */
  act(objects: Objects): void;
}

/** Returns a server that grants each turn at once. */
export function otherServer(): OtherServer {
  let grants = 0;
  const server: OtherServer = {
    isGranting: true,
    seconds: 900,
    nowhere: false,
    act(objects) {
      for (const node of objects.list('nodes')) {
        const annotations = annotationsIn(node);
        const { request, grant, state } = readTurn(annotations);
        const isUsed = grant !== undefined && state?.nonce === grant.nonce && state.state !== 'begun';
        const isBegun = grant !== undefined && state?.nonce === grant.nonce && state.state === 'begun';
        if (
          grant &&
          !isBegun &&
          (isUsed || request?.digest !== grant.digest || request.boot !== grant.boot)
        ) {
          annotate(objects, node, JSON.stringify({ withdrawn: grant.nonce }));
        } else if (
          request &&
          !grant &&
          server.isGranting &&
          !request.closed &&
          !('slipway.dev/hold' in annotations)
        ) {
          grants += 1;
          const { digest, boot } = request;
          const nonce = String(grants).padStart(8, '0');
          const { seconds, nowhere } = server;
          annotate(objects, node, JSON.stringify({ digest, boot, nonce, seconds, nowhere }));
        }
      }
    },
  };
  return server;
}

function annotationsIn({ metadata }: ApiObject): Readonly<Record<string, string>> {
  return Object(metadata.annotations);
}

function annotate(objects: Objects, node: ApiObject, grant: string): void {
  const annotations = { ...annotationsIn(node), [turnKeys.grant]: grant };
  objects.put('nodes', undefined, { ...node, metadata: { ...node.metadata, annotations } });
}
