import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readMasks, type RealModeCase } from './real-mode-case.js';
import { RealModeRig } from './real-mode-rig.js';
const f = '../shared/oracle-286/real-mode.jsonl.gz';
const rig = new RealModeRig(readMasks(f));
const by = new Map<string, string[]>();
let ok = 0;
let bad=0;
for (const l of gunzipSync(readFileSync(f)).toString().split('\n')) {
  if (!l) continue;
  const c = JSON.parse(l) as RealModeCase;
  const v = rig.check(c);
  if (v === null) ok++;
  else { bad++; const k=c.op; const a = by.get(k) ?? []; by.set(k, a); a.push(`${c.name} ${c.code} exc ${c.exc?.[0]}: ${v}  init ${process.env.V ? JSON.stringify(c.init):''}`); }
}
for (const [k, a] of by) { console.log(k, a.length); for (const x of a.slice(0, Number(process.env.N ?? 3))) console.log('   ', x.slice(0,500)); }
console.log(ok, bad);
