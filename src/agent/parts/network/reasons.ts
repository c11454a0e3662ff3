/** The reasons that the metadata guard and NAT for private hosts report, each with its meaning. */
export const networkReasons = {
  NftablesMissing:
    'The program nft, which keeps pods from the metadata service and runs NAT, is missing: apt-get install nftables.',
  ImdsGuardFailed:
    'The rules that keep pods from the metadata service could not be loaded; the message quotes nft.',
  ImdsGuardUndecided:
    'Pods ran here before Slipway could keep them from the metadata service: set imds.pods to block or allow them.',
  ImdsGuardKept:
    'The rules still keep pods from the metadata service, although the settings no longer name an address to guard.',
  NatFailed: 'Private hosts may have no connection through this node; the message states what failed.',
  NatKept:
    'This node still forwards packets for ranges that the settings no longer name; the message has the consent that ends the forwarding.',
} as const;
