import type * as z from 'zod/mini';
import type { Host } from '../engine/host.ts';
import type { Section, SectionSchema, SettingsSection } from '../settings/section.ts';
import type { Cloud } from './cloud.ts';

/**
 * All that is particular about one cloud. Its name is its key in the table of clouds (`index.ts`), and the name of its
 * section in the settings; whatever needs to know a cloud derives from that table.
 */
export interface CloudDriver<Schema extends SectionSchema = SectionSchema> {
  /** What a VM there does to learn what it is; completes the sentence that its name begins. */
  readonly summary: string;
  /** What the help of --cloud says behind the name. */
  readonly remark?: string;
  readonly settings: SettingsSection<Schema>;
  /** The form of the names that a secret can have there, where it is narrower than that of the settings. */
  readonly secretName?: z.ZodMiniType<string, string>;
  /** True if a VM may start before the cloud says its tags and its address. */
  readonly fillsInLater: boolean;
  /** The metadata service, from which pods are kept and which no proxy is asked for. */
  readonly metadata: MetadataService<Section<Schema>> | 'absent';
  /** What else the section names on the network, and `slipway doctor` asks. */
  endpoints(section: Section<Schema>): readonly URL[];
  /** What messages of ours say there. */
  readonly hints: CloudHints;
  readonly registries?: RegistryManners;
  /** Timers of older scripts there that renew logins of registries, without suffix: stopped once Slipway does. */
  readonly loginRenewers?: readonly string[];
  /** Variables of the environment that its SDKs read: the launcher must take every one of them away. */
  readonly scrubbedVariables: readonly string[];
  /** Makes the cloud's adapter. SDKs are loaded when they are needed, and not here. */
  create(ground: CloudGround<Section<Schema>>): Cloud;
}

/** Words of a cloud for messages that any cloud has. */
export interface CloudHints {
  /** What keeps traffic between nodes away unless it is told otherwise, such as `the network security group`. */
  readonly firewall: string;
  /** What must know a name that has no address, such as `the DNS servers of the virtual network`. */
  readonly nameServers: string;
  /** The sentence that says how a registry is made to let a node's address in. */
  readonly openRegistry: string;
  /** The sentence that says how an image may be pulled with a login that is good. */
  readonly permitPull: string;
  /** The sentence that says what to look at where a login is refused. */
  readonly checkLogin: string;
  /** The sentence that says how the storage of a registry is reached, to which it redirects. */
  readonly reachStorage: string;
}

/** How registries of a cloud differ from what the OCI Distribution Specification has. */
export interface RegistryManners {
  /** Whether the words of a 403 are those of its firewall, rather than about what a login may do. */
  isFirewall?(said: string): boolean;
  /** Whether this host is the registry of that login server by another name. */
  isSame?(host: string, loginServer: string): boolean;
}

/** The metadata service of a cloud, which gives the VM's identity to any process that asks. */
export interface MetadataService<Settings> {
  /** Returns where it answers with these settings. */
  locate(section: Settings): Metadata;
}

/** Where a metadata service answers. */
export interface Metadata {
  /** A host as `URL` writes it; only an IPv4 address can be guarded. */
  readonly address: string;
  /** The one port and protocol of it, where others of that address must stay open, as DNS and NTP. */
  readonly only?: { readonly protocol: 'tcp' | 'udp'; readonly port: number };
  /** The setting that says where it is: `azure.imdsEndpoint`. */
  readonly setting?: string;
}

/** What an adapter is made of. */
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
