import { hintsOf } from '../../clouds/chosen.ts';
import type { Cloud } from '../../clouds/cloud.ts';
import { ok, type Probe, skipped, type Verdict } from '../../doctor/probe.ts';
import type { Host } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import type { Settings } from '../../settings/schema.ts';
import { parseImage } from './oci/registry-manifest.ts';
import { pull } from './oci/registry-pull.ts';
import { logIn, type RegistrySession } from './oci/registry-session.ts';

export interface RegistryProbes {
  readonly host: Host;
  readonly cloud: Cloud;
  readonly settings: Settings;
  /** The node; absent while its role is unknown. */
  readonly node: K3sNode | undefined;
}

/**
 * Returns probes that fetch a credential for each login server, and use the credential to pull the server's images in
 * registries.proof, or to log in if registries.proof names none of them.
 */
export function registryProbes(subject: RegistryProbes): readonly Probe[] {
  return subject.settings.registries.servers.flatMap((server) => serverProbes(subject, server));
}

function serverProbes(subject: RegistryProbes, server: string): readonly Probe[] {
  const { host, cloud, settings, node } = subject;
  const images = settings.registries.proof.map(parseImage).filter((image) => image.server === server);
  let session: RegistrySession | undefined;
  const exchange = async () => {
    const { password } = await cloud.registryPassword(server);
    session = {
      host,
      server,
      hints: hintsOf(settings),
      login: { username: cloud.registryUser(server), password },
    };
    return ok("the identity's token was exchanged for a credential");
  };
  const withSession = async (use: (session: RegistrySession) => Promise<Verdict>) =>
    session ? use(session) : skipped('there is no credential to show');
  const about = 'cloud' as const;
  return [
    { about, what: `exchange ${server}`, look: exchange },
    ...(images.length === 0
      ? [{ about, what: `login ${server}`, look: () => withSession(lookAtLogin) }]
      : images.map((image) => ({
          about,
          what: `pull ${image.name}`,
          look: () =>
            withSession(async (session) => {
              const { bytes, from, digest } = await pull(session, image, node?.arch ?? 'x64');
              return ok(`manifest ${digest.slice(0, 19)}, ${bytes} bytes of a layer from ${from}`);
            }),
        }))),
  ];
}

async function lookAtLogin(session: RegistrySession): Promise<Verdict> {
  const wasAsked = await logIn(session);
  return ok(
    wasAsked ? 'logged in; name an image in registries.proof to have a pull tried' : 'asks for no login',
  );
}
