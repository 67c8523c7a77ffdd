/**
 * Functions without exact results. Expected values are the correctly rounded ones, worked out to 60
 * digits by other means.
 */
import { describe, expect, test } from 'vitest';
import { FpuProcessor } from './fpu-processor.js';

const FSIN = [0xd9, 0xfe];
const FCOS = [0xd9, 0xff];
const FPTAN = [0xd9, 0xf2];
const FPATAN = [0xd9, 0xf3];
const F2XM1 = [0xd9, 0xf0];
const FYL2X = [0xd9, 0xf1];
const FYL2XP1 = [0xd9, 0xf9];
const FSINCOS = [0xd9, 0xfb];
const ONE = '3fff:8000000000000000';
const PI = '4000:c90fdaa22168c235';
const C2 = 0x400;
const PE = 0x20;

// biome-ignore format: table
const SINES: readonly (readonly [string, string])[] = [
  ['3fff:8000000000000000', '3ffe:d76aa47848677021'],
  ['3ff8:e5c8e71b5bc8fbbc', '3ff8:e5c6f96c7a128619'],
  ['3ff8:f60ebed0a6eb8c9e', '3ff8:f60c60a5330d7d96'],
  ['4002:e3529c3b77330bdb', '3ffe:ff5d31ea06c861e9'],
  ['4001:f350b51d0d464138', '3ffe:f8047bfddb6c5a06'],
  ['bffe:ef2938807814e8a2', 'bffe:cddbf0c91e26c1f8'],
  ['c000:c976e7a21a1afe87', '3ff7:ce19a6e29ab1965d'],
  ['c001:b43e4b36377b9aa2', '3ffe:9b0bce5565b6dc5a'],
  ['c03b:b1d914f8c4069545', '3ffd:b176abb9729c7ea8'],
  ['c037:91c32175126a1e48', '3ffe:8ad647dddd830cd9'],
  ['4020:90ed44bc206f5c66', 'bffe:fecdce0c41a58417'],
  ['c03b:9acf777d015c33b2', '3ffd:ca33880eff3a3f35'],
  ['4000:c90fdaa22168c235', 'bfbf:8000000000000000'],
];

// biome-ignore format: table
const COSINES: readonly (readonly [string, string])[] = [
  ['3fff:8000000000000000', '3ffe:8a51407da8345c92'],
  ['3ff8:e5c8e71b5bc8fbbc', '3ffe:fff98dfe937e08f0'],
  ['3ff8:f60ebed0a6eb8c9e', '3ffe:fff89c065df17d80'],
  ['4002:e3529c3b77330bdb', 'bffb:9044859464f4edd1'],
  ['4001:f350b51d0d464138', '3ffc:fdb7e31e72df4b7c'],
  ['bffe:ef2938807814e8a2', '3ffe:982d75558b2f7ca1'],
  ['c000:c976e7a21a1afe87', 'bffe:fffeb4249299ff7e'],
  ['c001:b43e4b36377b9aa2', '3ffe:cbb517a46cc46cae'],
  ['c03b:b1d914f8c4069545', 'bffe:f0216a691ddf10bc'],
  ['c037:91c32175126a1e48', 'bffe:d714ffaa0c0341ca'],
  ['4020:90ed44bc206f5c66', '3ffb:c5bda413bdf5d525'],
  ['c03b:9acf777d015c33b2', '3ffe:eb30d0d74610c835'],
  ['4000:c90fdaa22168c235', 'bfff:8000000000000000'],
];

// biome-ignore format: table
const TANGENTS: readonly (readonly [string, string])[] = [
  ['3fff:8000000000000000', '3fff:c75922e5f71d2dc5'],
  ['3ff8:e5c8e71b5bc8fbbc', '3ff8:e5ccc28f7f47370b'],
  ['3ff8:f60ebed0a6eb8c9e', '3ff8:f6137b470f6492ec'],
  ['4002:e3529c3b77330bdb', 'c002:e291b1d6a9991b23'],
  ['4001:f350b51d0d464138', '4000:fa3f79055ca28ec0'],
  ['bffe:ef2938807814e8a2', 'bfff:ad271ce49f3fe9ec'],
  ['c000:c976e7a21a1afe87', 'bff7:ce1ab20fc7d5ce1b'],
  ['c001:b43e4b36377b9aa2', '3ffe:c2d8df376ae3644f'],
  ['c03b:b1d914f8c4069545', 'bffd:bd310a69b90beecb'],
  ['c037:91c32175126a1e48', 'bffe:a53ff8a905380755'],
  ['4020:90ed44bc206f5c66', 'c002:a4f00a84605b85fb'],
  ['c03b:9acf777d015c33b2', '3ffd:dc177d64928b526f'],
  ['4000:c90fdaa22168c235', '3fbf:8000000000000000'],
];

// biome-ignore format: table
const POWERS: readonly (readonly [string, string])[] = [
  ['3fe1:954f5d06df561d80', '3fe0:cefcd549004618f6'],
  ['bfe3:f024aa478a0a8c96', 'bfe3:a67460844a17e98f'],
  ['3fe4:f871e6cb2e81d66d', '3fe4:ac357a9c79dfbe0d'],
  ['3fe3:fb88474bf770c226', '3fe3:ae59538f6eccaca4'],
  ['3ffc:ae3b78c50585a01c', '3ffc:802dbd6e315c62fa'],
  ['bffb:88567f8043892dfc', 'bffa:b8b5c6e0ce14559c'],
  ['bffe:806edba6960d5a8f', 'bffd:9662b4acc8c8da7f'],
  ['3ffc:a7acb39310e6d8e6', '3ffb:f626b2d67e21908c'],
  ['bffc:d92448c87b121dc5', 'bffc:8bf8f25969d14bc9'],
  ['bffd:da32992978f845f5', 'bffd:82f374cb2bb583ca'],
  ['bffc:f83189fff9a01fe8', 'bffc:9e5c2259953b5d35'],
  ['bffc:b3bfe89cd84a1d3a', 'bffb:ea9f77c22f9ee100'],
];

// biome-ignore format: table
const ANGLES: readonly (readonly [string, string, string])[] = [
  ['c001:b02cbdee5dbe4409', '3ff9:85fb277b73ec28d0', 'bfff:c8ae829d12d08174'],
  ['3ffe:e0bbf8891e782196', 'c000:c199782d58296818', '4000:b6fc3f9b8b0d3aac'],
  ['c003:e346f5ae403a960a', 'c002:e3f7630dbf9703c0', 'c000:8248309462649757'],
  ['3fff:b76bc7ae0960afe9', '3ffa:ab9d62cd355f2af4', '3fff:c55209dd8d027fb1'],
  ['4000:92f81314eb07c30d', 'c004:8bc90f368b8e8f4e', '4000:c4dcc6955669c0fd'],
  ['c000:96b7977e4e613a36', '4003:dc4e272b261c374b', 'bffb:aeb63d1fd30d0d17'],
  ['4002:dc2d2e692959fea3', 'c002:f638bf8a8895787f', '4000:9a5de0787444d7ff'],
  ['bffe:cc06e37fbd953dc2', 'bffd:d352de4c74a677c6', 'c000:831d080c5bd33715'],
  ['bffb:f541c2a5faa30fac', '4005:aac6956d7e5a3930', 'bff5:b7d3384e46ebd9eb'],
  ['3ffd:dda72e08fb368220', '3ffb:f2c061afa161d909', '3fff:a6dab2e4f627eb3b'],
  ['3ffc:b79f81202b37d817', 'bff9:b5d7b8ebd8407b1a', '3fff:d8d39bedbe924e60'],
  ['c002:ffe90f84ec08693c', '3ffb:c2d743b8f9dba1db', 'bfff:c84cf27df4d3da56'],
];

// biome-ignore format: table
const LOGARITHMS: readonly (readonly [string, string, string])[] = [
  ['c002:dd606babb057c162', '3feb:a31398a07aa286ac', '4007:87f1760bc6dbc990'],
  ['c001:92c0b87ce6e053f7', '3fd1:e939192460831ef2', '4006:cefcd763ff0db528'],
  ['3ffd:f7f459daa080c6a5', '4002:ab5345a0de28123c', '3fff:d409b5d0e9ec8aba'],
  ['c002:c1f1619445b61df2', '4027:ef0687e28c5050ea', 'c007:f7e3b2f8f7c18b3f'],
  ['3ffc:e5c7889bc938c68d', '4026:d8e88bdb5b0f13b0', '4002:8ec0fc6fd9d73bd2'],
  ['3ffb:a72125c9c277af32', '3ff1:da2c0f1b8f2f3949', 'bfff:8a33c7997d4d6b39'],
  ['4002:e28715cc43cdc356', '3fff:f907b3c6f4f6717c', '4002:d981a98d9b4a5787'],
  ['bffd:ed0880d594a6300c', '3ffe:c603cc2d796bfa00', '3ffc:afa8895adfa9d7df'],
  ['4000:a3081d15abf0ca69', '3fff:e888f59b49f088d4', '4000:8c6b7be08ae4c2e3'],
  ['4000:a30e5b70590ef594', '3fff:f8007f58bce240c6', '4000:9b96e0041ce7b5ea'],
  ['4000:ebe37a71ec1e07d7', '3fff:80000000000b036d', '3fd5:ea405b74b87925cf'],
  ['c000:aacba0f3f4de438f', '3ffe:fffffffffffd575b', '3fd2:a3c8acd4d161ecab'],
];

// biome-ignore format: table
const LOGARITHMS_OF_ONE_PLUS: readonly (readonly [string, string, string])[] = [
  ['c000:ed4b1d22eff83f04', 'bfef:dc1eafbd142ea4cd', '3ff2:932ea2c5f0a8bcb2'],
  ['4001:cef2a96e2bfcd686', '3fe8:d530f24484366826', '3feb:f8a2ef2a6dd7b4ce'],
  ['3fff:c6cf83889fad3bf4', '3feb:dc368a96454cfe2b', '3fec:f6ba21a291242205'],
  ['3ffe:cb10bc3e28f74587', 'bfec:9c09714c2e45282a', 'bfec:b290d69c356e5275'],
  ['3ffd:dbf692eda1806108', 'bfe1:9cf58472fad18c6a', 'bfe0:c2915a387ed4e992'],
  ['bffd:a89ef3c01c5f4755', '3fe1:c62f5fc331800c21', 'bfe0:bc5430ad37005623'],
  ['c002:b0ada1f959e1adc4', '3fc7:9a28ac6d971503bd', 'bfcb:997dfeaf692517dd'],
  ['c000:acddda1b002b4b4c', 'bfd4:b47c4437db194b90', '3fd6:afd3f1970ec6b327'],
  ['4003:fb707f825fb693a6', 'bfea:8c231dc54d27667d', 'bfef:c692d5a9e39475ce'],
  ['c003:f9bdbd7d56e12b56', '3fd9:90884e86d18aa866', 'bfde:cb6b178451de2d3c'],
  ['c003:bbd621af5e93cc57', 'bfe9:c82c894f61fbaa7b', '3fee:d3e54c3eafbb5e0c'],
  ['bffe:91059696f7cea56e', '3fd9:f25d206ad23c6940', 'bfd9:c613e675d120b5ca'],
];

/** ST(0) after one instruction on these values, the last of which is ST(0). */
function after(code: readonly number[], ...values: readonly string[]): FpuProcessor {
  const p = new FpuProcessor();
  for (const value of values) p.load(value);
  p.run(code);
  return p;
}

describe('rounded to nearest, the correctly rounded result comes out', () => {
  test.each(SINES)('FSIN %s', (x, expected) => {
    expect(after(FSIN, x).st(0)).toBe(expected);
    expect(after(FSINCOS, x).st(1)).toBe(expected);
  });

  test.each(COSINES)('FCOS %s', (x, expected) => {
    expect(after(FCOS, x).st(0)).toBe(expected);
    expect(after(FSINCOS, x).st(0)).toBe(expected);
  });

  test.each(TANGENTS)('FPTAN %s', (x, expected) => {
    const p = after(FPTAN, x);
    expect(p.st(1)).toBe(expected);
    expect(p.st(0)).toBe(ONE);
  });

  test.each(POWERS)('F2XM1 %s', (x, expected) => {
    expect(after(F2XM1, x).st(0)).toBe(expected);
  });

  test.each(ANGLES)('FPATAN %s / %s', (y, x, expected) => {
    expect(after(FPATAN, y, x).st(0)).toBe(expected);
  });

  test.each(LOGARITHMS)('FYL2X %s * log2 %s', (y, x, expected) => {
    expect(after(FYL2X, y, x).st(0)).toBe(expected);
  });

  test.each(LOGARITHMS_OF_ONE_PLUS)('FYL2XP1 %s * log2(1 + %s)', (y, x, expected) => {
    expect(after(FYL2XP1, y, x).st(0)).toBe(expected);
  });
});

test('pi has 66 bits, so that the sine of its first 64 is not the true one', () => {
  const p = after(FSIN, PI);
  expect(p.st(0)).toBe('bfbf:8000000000000000');
  expect(p.status & PE).toBe(PE);
});

test.each([
  ['FSIN', FSIN],
  ['FCOS', FCOS],
  ['FSINCOS', FSINCOS],
  ['FPTAN', FPTAN],
])('%s sets C2 and leaves an argument of 2^63 alone', (_, code) => {
  const p = after(code, '403e:8000000000000000');
  expect(p.st(0)).toBe('403e:8000000000000000');
  expect(p.status & (C2 | 0x3f)).toBe(C2);
  expect(p.tags).toBe(0x3fff);
  expect(after(code, '403d:ffffffffffffffff').status & C2).toBe(0);
});

test('results are rounded as the rounding control says', () => {
  const sines = [0x37f, 0x77f, 0xb7f, 0xf7f].map((control) => {
    const p = new FpuProcessor();
    p.load(ONE);
    p.control = control;
    p.run(FSIN);
    return p.st(0).slice(-2);
  });
  // sin 1 lies between d76aa47848677020 and the next.
  expect(sines).toEqual(['21', '20', '21', '20']);
});
