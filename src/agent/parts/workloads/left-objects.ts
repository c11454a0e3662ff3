import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import type { Reason } from '../../engine/reasons.ts';
import { inSync, type Resource } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import { deleteObject } from '../../kubernetes/api.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import type { K3sNode } from '../../node.ts';
import { nonBlocking } from '../../resources/combinators.ts';
import { type Consent, consentAdvice, isConsented } from '../../settings/consents.ts';

/** Objects in the cluster that Slipway created and the settings no longer name. */
export interface LeftObjects extends Required<Pick<Resource, 'id' | 'summary' | 'condition' | 'needs'>> {
  /** The names in the settings, by which consents name the objects too. */
  readonly wished: readonly string[];
  readonly consent: Consent;
  readonly reason: Reason;
  /** Returns the names of the objects in the cluster. */
  present(host: HostReader, access: ApiAccess): Promise<readonly string[]>;
  /** Returns the path of an object in the API. */
  path(name: string): string;
  /** Returns the sentences about objects without consent; `consent` completes "to ..., ". */
  message(names: string, consent: string): string;
}

/**
 * Deletes each of these objects that a consent names. Throws the reason for objects without consent. Blocks nothing; is
 * quiet if the settings name no object.
 */
export function leftObjects({ settings, paths }: K3sNode, spec: LeftObjects): Resource {
  const { id, summary, condition, needs, wished, consent, reason } = spec;
  return nonBlocking({
    ...{ id, summary, condition, needs },
    isQuiet: wished.length === 0,
    async check(host) {
      const access = await readKubeconfig(host, paths.k3s.kubeconfig);
      const left = (await spec.present(host, access)).filter((name) => !wished.includes(name));
      const going = left.filter((name) => isConsented(settings, consent, name));
      if (going.length > 0) {
        const changes = going.map((field) => ({ field, observed: 'present', desired: undefined }));
        const remedy = async (host: Host) => {
          for (const name of going) {
            await deleteObject(host, access, spec.path(name));
          }
        };
        return { state: 'Drifted', drift: { changes, remedy } };
      }
      if (left.length > 0) {
        const advice = consentAdvice(settings, consent, ...left);
        throw new NodeError(reason, spec.message(left.join(', '), advice), advisory);
      }
      return inSync();
    },
  });
}
