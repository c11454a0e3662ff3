/** The types of flux's flags. An invalid value gets the error message of pflag or of flux's own type. */
export type FlagType = 'string' | 'bool' | 'duration' | 'strings' | 'int' | 'float' | 'bits' | 'level';

/** Throws pflag's error if the value is invalid for the type of the flag. */
export function validate(name: string, type: FlagType, value: string): void {
  const why = complaints[type](value);
  if (why !== undefined) {
    throw new Error(`invalid argument "${value}" for "--${name}" flag: ${why}`);
  }
}

const complaints: Readonly<Record<FlagType, (value: string) => string | undefined>> = {
  string: () => undefined,
  strings: () => undefined,
  bool: (value) =>
    /^(1|0|t|f|T|F|true|false|True|False|TRUE|FALSE)$/.test(value)
      ? undefined
      : `strconv.ParseBool: parsing "${value}": invalid syntax`,
  int: (value) =>
    /^[-+]?\d+$/.test(value) ? undefined : `strconv.ParseInt: parsing "${value}": invalid syntax`,
  float: (value) =>
    Number.isNaN(Number(value || 'x')) ? `strconv.ParseFloat: parsing "${value}": invalid syntax` : undefined,
  bits: bitsFault,
  level: (value) =>
    ['debug', 'info', 'error'].includes(value)
      ? undefined
      : `unsupported log level '${value}', must be one of: debug, info, error`,
  duration: (value) =>
    /^[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+)$/.test(value)
      ? undefined
      : `time: invalid duration "${value}"`,
};

/**
 * Returns the error message of RSAKeyBits.Set (internal/flags/rsa_key_bits.go); `undefined` for a valid or a blank
 * value.
 */
function bitsFault(value: string): string | undefined {
  if (!/^[-+]?\d+$/.test(value)) {
    return value.trim() === '' ? undefined : `strconv.Atoi: parsing "${value}": invalid syntax`;
  }
  if (Number(value) < 1_024) {
    return 'RSA key bit size must be at least 1024';
  }
  return Number(value) % 8 === 0 ? undefined : 'RSA key bit size must be a multiples of 8';
}
