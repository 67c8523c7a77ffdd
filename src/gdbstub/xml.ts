/** The little XML that gdb reads. No document names a DOCTYPE: gdb would want to fetch it. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text as XML can hold it; characters that it can't are left out. */
export function escapeXml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')
    .replace(/[&<>"']/g, (each) => ENTITIES[each]);
}

/** An element; the contents are XML already, the attributes are not. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  contents: readonly string[],
): string {
  const words = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  const start = `<${name}${words.join('')}`;
  return contents.length === 0 ? `${start}/>` : `${start}>${contents.join('')}</${name}>`;
}
