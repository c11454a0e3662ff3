import type * as z from 'zod/mini';
import type { Host } from '../engine/host.ts';
import type { Section, SectionSchema, SettingsSection } from '../settings/section.ts';
import type { Cloud } from './cloud.ts';

/**
 * Everything particular to one cloud. Its name is its key in the table of clouds (`index.ts`), and the name of its
 * section in the settings; all code about clouds derives from that table.
 */
export interface CloudDriver<Schema extends SectionSchema = SectionSchema> {
  /** How a VM learns its identity there; completes the sentence that the cloud's name begins. */
  readonly summary: string;
  /** What the help of --cloud prints after the name. */
  readonly remark?: string;
  readonly settings: SettingsSection<Schema>;
  /** The form of the names that a secret can have there, if narrower than that of the settings. */
  readonly secretName?: z.ZodMiniType<string, string>;
  /** True if a VM may start before the cloud knows its tags and its address. */
  readonly fillsInLater: boolean;
  /** The metadata service, which pods are kept from and which is reached past any proxy. */
  readonly metadata: MetadataService<Section<Schema>> | 'absent';
  /** Returns further addresses of the section, which `slipway doctor` asks. */
  endpoints(section: Section<Schema>): readonly URL[];
  /** Words for messages of ours. */
  readonly hints: CloudHints;
  readonly registries?: RegistryManners;
  /**
   * Timers of older scripts there that renew logins of registries, without suffix: stopped once Slipway renews them.
   */
  readonly loginRenewers?: readonly string[];
  /** Environment variables that its SDKs read: the launcher must remove all of them. */
  readonly scrubbedVariables: readonly string[];
  /** Makes the cloud's adapter. SDKs are loaded on first use, not here. */
  create(ground: CloudGround<Section<Schema>>): Cloud;
}

/** Words of a cloud for messages that any cloud has. */
export interface CloudHints {
  /** What blocks traffic between nodes by default, such as `the network security group`. */
  readonly firewall: string;
  /** What resolves names there, such as `the DNS servers of the virtual network`. */
  readonly nameServers: string;
  /** A sentence: how to let a node's address through the firewall of a registry. */
  readonly openRegistry: string;
  /** A sentence: how to permit the pull of an image with a valid login. */
  readonly permitPull: string;
  /** A sentence: what to check when a login is refused. */
  readonly checkLogin: string;
  /** A sentence: how to reach the storage that a registry redirects to. */
  readonly reachStorage: string;
}

/** How registries of a cloud differ from the OCI Distribution Specification. */
export interface RegistryManners {
  /** Returns whether the words of a 403 are those of its firewall, not about the permissions of a login. */
  isFirewall?(said: string): boolean;
  /** Returns whether this host is the registry of that login server by another name. */
  isSame?(host: string, loginServer: string): boolean;
}

/** The metadata service of a cloud, which gives the VM's identity to any process that asks. */
export interface MetadataService<Settings> {
  /** Returns its address with these settings. */
  locate(section: Settings): Metadata;
}

/** The address of a metadata service. */
export interface Metadata {
  /** A host as `URL` writes it; only an IPv4 address can be guarded. */
  readonly address: string;
  /** Its one port and protocol, if others at that address must stay open, such as DNS and NTP. */
  readonly only?: { readonly protocol: 'tcp' | 'udp'; readonly port: number };
  /** The setting that holds the address: `azure.imdsEndpoint`. */
  readonly setting?: string;
}

/** What an adapter needs. */
export interface CloudGround<Settings> {
  readonly host: Host;
  readonly settings: Settings;
  /** Hosts outside the cloud's domains that may be shown tokens of the identity: consent.identityHosts. */
  readonly consented?: readonly string[];
  /** What the machine itself shows. */
  readonly machine: {
    readonly hostname: string;
    /** Its first IPv4 address. */
    readonly address: string | undefined;
  };
}
