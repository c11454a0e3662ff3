/** The reasons of the guard of the metadata service. */
export const networkReasons = {
  NftablesMissing: 'There is no nft to keep pods from the metadata service: apt-get install nftables.',
  ImdsGuardFailed: 'The rules that keep pods from the metadata service could not be loaded; nft is quoted.',
} as const;
