import type * as z from 'zod/mini';
import type { Host } from '../engine/host.ts';
import type { Section, SectionSchema, SettingsSection } from '../settings/section.ts';
import type { Cloud } from './cloud.ts';

/**
 * Everything specific to one cloud. The cloud's key in the table of clouds (`index.ts`) is its name and the name of its
 * settings section; all code about clouds derives from that table.
 */
export interface CloudDriver<Schema extends SectionSchema = SectionSchema> {
  /** How a VM in this cloud learns its identity; completes a sentence that begins with the cloud's name. */
  readonly summary: string;
  /** The text after the cloud's name in the help for --cloud. */
  readonly remark?: string;
  readonly settings: SettingsSection<Schema>;
  /** The signs of a VM in this cloud; `absent` if only the settings can choose this cloud. */
  readonly signs: CloudSigns | 'absent';
  /** The form of secret names in this cloud, if it is narrower than the form that the settings accept. */
  readonly secretName?: z.ZodMiniType<string, string>;
  /**
   * Where the instance tags come from: `metadata`, whose service may report the tags only some time after the VM has
   * started, so that Slipway waits for a missing role; `settings`; or `absent` if a VM has no tags, so that messages do
   * not ask for one.
   */
  readonly tags: 'metadata' | 'settings' | 'absent';
  /**
   * The metadata service, which Slipway blocks for pods and reaches without a proxy; `absent` if the cloud has none.
   */
  readonly metadata: MetadataService<Section<Schema>> | 'absent';
  /** How the cloud announces interruptions of a VM: in answer to a question (`Cloud.events`), or not at all. */
  readonly events: 'polled' | 'absent';
  /** The cloud's own wording for parts of messages. */
  readonly hints: CloudHints;
  readonly registries?: RegistryManners;
  /**
   * The names, without `.timer`, of the systemd timers of older scripts that renew registry logins in this cloud.
   * Slipway stops these timers once it renews the logins itself.
   */
  readonly loginRenewers?: readonly string[];
  /** Environment variables that the cloud's SDKs read; the launcher must remove all of them. */
  readonly scrubbedVariables: readonly string[];
  /** Makes the cloud's adapter. Must not load SDKs before their first use. */
  create(ground: CloudGround<Section<Schema>>): Cloud;
}

/** The signs by which a VM of this cloud is recognized without the network. */
export interface CloudSigns {
  /** The name that cloud-init gives the cloud (`cloud-id`). */
  readonly cloudId: string;
  /** Strings of the firmware by their file names below /sys/class/dmi/id; one match is enough. */
  readonly dmi: Readonly<Partial<Record<DmiField, string>>>;
}

/** A string of the firmware that every user of the machine may read. */
export type DmiField = 'chassis_asset_tag' | 'sys_vendor' | 'product_name';

/** A cloud's own wording for parts of messages that every cloud shares. */
export interface CloudHints {
  /** What blocks traffic between nodes by default, for example `the network security group`. */
  readonly firewall: string;
  /** What resolves names in the cloud, for example `the DNS servers of the virtual network`. */
  readonly nameServers: string;
  /** A sentence about how to let a node's address through the firewall of a registry. */
  readonly openRegistry: string;
  /** A sentence about how to give a valid login the permission to pull an image. */
  readonly permitPull: string;
  /** A sentence about what to check if a login is refused. */
  readonly checkLogin: string;
  /** A sentence about how to reach the storage that a registry redirects to. */
  readonly reachStorage: string;
}

/** The ways in which a cloud's registries differ from the OCI Distribution Specification. */
export interface RegistryManners {
  /** True if the message of a 403 answer is about the registry's firewall, not about missing permissions. */
  isFirewall?(said: string): boolean;
  /** True if `host` is another name for the registry of `loginServer`. */
  isSame?(host: string, loginServer: string): boolean;
}

/** The metadata service of a cloud, which gives the VM's identity to any process that requests it. */
export interface MetadataService<Settings> {
  /** The setting that names the addresses, if only the operator knows them: `static.metadata`. */
  readonly named?: string;
  /** Returns the addresses of the metadata service with these settings. */
  locate(section: Settings): Metadata | readonly Metadata[];
  /**
   * The other addresses of the same service, which Slipway itself does not use: they are blocked for pods, but proxies
   * apply to them.
   */
  readonly others?: readonly Metadata[];
}

/** The address of a metadata service. */
export interface Metadata {
  /** The host as `URL` writes it; only an IP address can be guarded. */
  readonly address: string;
  /** The only guarded port and protocol, if other services at the address must stay open, such as DNS and NTP. */
  readonly only?: { readonly protocol: 'tcp' | 'udp'; readonly port: number };
  /** The setting that contains the address, such as `azure.imdsEndpoint`. */
  readonly setting?: string;
}

/** The inputs from which a driver makes its cloud's adapter. */
export interface CloudGround<Settings> {
  readonly host: Host;
  readonly settings: Settings;
  /** Hosts outside the cloud's domains that may see tokens of the identity: consent.identityHosts. */
  readonly consented?: readonly string[];
  /** What the machine itself reports. */
  readonly machine: {
    readonly hostname: string;
    /** Returns the current addresses of the machine, first those of the interface with the default route. */
    readonly addresses: () => readonly InterfaceAddress[];
    /** The directory of the credentials that systemd passes to the daemon. */
    readonly credentials: string;
  };
}

/** An address of the machine and its interface. */
export interface InterfaceAddress {
  readonly interface: string;
  readonly address: string;
  /** True if the IPv4 default route uses this interface. */
  readonly hasDefaultRoute?: boolean;
}
