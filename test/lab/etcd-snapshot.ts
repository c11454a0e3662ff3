import { brotliDecompressSync } from 'node:zlib';

/**
 * The revisions of the snapshot below: two keys of which one is deleted, a value that overflows its page, and so many
 * revisions of another that they need several pages. A leading `-` is a deletion.
 */
export const realRevisions: readonly string[] = [
  '/bootstrap/0123456789ab',
  '/bootstrap/ba9876543210',
  '/registry/pods/default/a',
  ...Array.from({ length: 40 }, () => '/registry/pods/default/b'),
  '-/bootstrap/ba9876543210',
  '-/registry/pods/default/b',
];

/** Returns a snapshot with these revisions, which Debian's etcdctl 3.4.23 has saved from etcd 3.4.23. */
export function realSnapshot(): Buffer {
  return brotliDecompressSync(Buffer.from(packed.join(''), 'base64'));
}

/** Returns the snapshot as a fault of a disk or of a transfer would leave it: without its end, or with another byte. */
export function damagedSnapshot(how: 'cut' | 'changed'): Buffer {
  const whole = realSnapshot();
  if (how === 'cut') {
    return whole.subarray(0, whole.length - 4_096);
  }
  whole.writeUInt8(whole.readUInt8(50_000) ^ 1, 50_000);
  return whole;
}

const packed = [
  'Wx/wAeCRGMeKrOLCjQVBr+u3eXk50eS+m+b4QdSKjpahg9K1FKugMu+0Ax5ofw5Vuvn9kedUB0W4LeUV3qj//X6/T/ZkobcxL0RC',
  'hMysGdaZuTFimixSCYmsTSWZd0K26J1IKqKZlviiIe+d2qfHD//OZC8bA48BQ4LbpWDoFPn15gEAJADw87XnpwDQASAeAAAA+O+i',
  'BCKDz2kHACnBOw/3Wm80GE+lBwD9k9oBgIh8dm3LyY+fgGgXz94SJAIGkAoAtMWOBMQCAIAromAiTOuWX1f3bhQULpYrqbSx7hjU',
  'hRAoQ/Wx3gIA1MIjg2ZVpdFKrpaLeSoqVBzkAOC7Y8PO1Xyil3KKX3JbBtisI7Lg7pk+uwo2blja8q0FDQXHv2lowoYYnnVyacbA',
  'Ps4ZHXZUvu9m4yB7AAKX0eHChsDtdQIAbuxU1JiIelLi16ZUUv4vXAPA1KWQKMMz7TstzRhoc8+dTgBAQ+GvEDYOjs8AEHiMDg8O',
  'BF6vEwDw4mQcnD0Agc/o8OFC4Pc6AQA/bgK4BA6jw4FE4PQ6AQAnGgHcAt3o0IkhMLxOAMAgTgCPIGB0BEggCPE6AYAQkgTwCqKN',
  'jmgKCGK8TgAghiIBfIJYoyMWgSDO6wQA4igRwC8INTpCSSEI8zoBgDDSBNAF4UZHOBkEEV4nABBBlgCGINLoiCSHIMrrBACiyBMg',
  'IIg3OuIpI0jwOgGABCoECBGkGh2pgCDN6wQA0ggIECpINDoSqSJI8joBgCRqBAgTJBsdydQRpHidAEAKDQKEC9KNjnSaCDK8TgAg',
  'gxb5ERmJwhpjQrVFX5zEfDIAgJu+HsEYZPZBjY5M2oxB1jhndGTR4cf0AIAby6h7AH4oHgD0hhGdEWhLwaCxVPYv8SgRiKJo/RxD',
  '9CYA2fMsjI5suoxBzjhndOTQQ5BrdOTSJz9vZFu16jgkBAD56UMcEz+uDTElCmGnDypgAAIAGIpBwzBUjMCFUUiMwYFxODEBNybh',
  'wRT8mIaOGRiYhRdz8GEeASwgFIsIg4kQBBGOZYjCEqJrLUYsTIEMZsAGYnFQF/VQH9VpgIbScBpJo2ksjaeJNJmm0nSa6fwEANkL',
  'uLuLBQAUQgAo7AGwIlbMSlgpK2PlrIJVsipWzWpYLatj9ayBNbImNP9diHiP/wOmAMBFcZxN4AJAAU4BGpAYK3sJkEBr4mepE0iM',
  'sSmJhIQdLYmphAo9Mduu1WRgE65tTxIh/DmPq1GABDoBc625eZ2gYf0XaNQQ886iAACgAx7AUVenaHtWsxLf8Ia11pYXrdJkfXjJ',
  'tVKljgUnuM0HaKW14pGWL8mX0/nF2hVbawdaa5lbrLOo1ZpUwW3rwC6gslKfCkvOpaZVXuGORWW/5FVLydXOLp1T0ijp5Nys7Fy7',
  'cfNpWZvHhnu3JFevk8V+7V0szXTuexZ+KRO7583tUbV0PTqrm//jgZamhKZDLS40rnXfNbQuSF46zEues63mYzUHsL4kmhf0Nm3G',
  'eSMBALnwty6+B/DXJAZ3JACAIq69e+uJ3Y6b5RX9f/+nT8efbnh4pnx7/tjBQ8an/KbTzq8A',
];
