/** The reasons of the guard of the metadata service. */
export const networkReasons = {
  NftablesMissing:
    'The program nft, which keeps pods from the metadata service, is missing: apt-get install nftables.',
  ImdsGuardFailed:
    'The rules that keep pods from the metadata service could not be loaded; the message quotes nft.',
} as const;
