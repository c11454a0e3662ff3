/** The reasons of the guard of the metadata service, and of NAT for private hosts. */
export const networkReasons = {
  NftablesMissing:
    'The program nft, which keeps pods from the metadata service and runs NAT, is missing: apt-get install nftables.',
  ImdsGuardFailed:
    'The rules that keep pods from the metadata service could not be loaded; the message quotes nft.',
  ImdsGuardUndecided:
    'Pods ran here before Slipway could keep them from the metadata service; set imds.pods to close or open it.',
  NatFailed: 'Private hosts may not reach the outside through this one; the message says what failed.',
  NatKept:
    'The settings no longer name private hosts that this one forwards for; the message has the consent that ends it.',
} as const;
