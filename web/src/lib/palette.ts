// Cividis (Nuñez, Anderton & Renslow 2018): reads the same to colour-blind
// eyes and in grey print. 256 colours, six hexadecimal digits each.
const CIVIDIS =
  "00224e00234f00245100255300255400265600275800285900285b00295d002a5f" +
  "002a61002b62002c64002c66002d68002e6a002e6c002f6d00306f003070003170" +
  "0031710132710533710833700c34700f357012357014367016377018376f1a386f" +
  "1c396f1e3a6f203a6f213b6e233c6e243c6e263d6e273e6e293f6e2a3f6d2b406d" +
  "2d416d2e416d2f426d31436d32436d33446d34456c35456c36466c38476c39486c" +
  "3a486c3b496c3c4a6c3d4a6c3e4b6c3f4c6c404c6c414d6c424e6c434e6c444f6c" +
  "45506c46516c47516c48526c49536c4a536c4b546c4c556c4d556c4e566c4f576c" +
  "50576c51586d52596d535a6d545a6d555b6d555c6d565c6d575d6d585e6d595e6e" +
  "5a5f6e5b606e5c616e5d616e5e626e5e636f5f636f60646f61656f62656f636670" +
  "646770656870656870666970676a71686a71696b716a6c716b6d726c6d726c6e72" +
  "6d6f726e6f736f7073707173717274727274727374737475747475757575767676" +
  "7777767777777878777979777a7a787b7a787c7b787d7c787e7c787e7d787f7e78" +
  "807f78817f788280798381798482798582798683798784788885788985788a8678" +
  "8b87788c88788d88788e89788f8a78908b78918b78928c78928d78938e78948e77" +
  "958f779690779791779892779992779a93769b94769c95769d95769e96769f9775" +
  "a09875a19975a29975a39a74a49b74a59c74a69c74a79d73a89e73a99f73aaa073" +
  "aba072aca172ada272aea371afa471b0a571b1a570b3a670b4a76fb5a86fb6a96f" +
  "b7a96eb8aa6eb9ab6dbaac6dbbad6dbcae6cbdae6cbeaf6bbfb06bc0b16ac1b26a" +
  "c2b369c3b369c4b468c5b568c6b667c7b767c8b866c9b965cbb965ccba64cdbb63" +
  "cebc63cfbd62d0be62d1bf61d2c060d3c05fd4c15fd5c25ed6c35dd7c45cd9c55c" +
  "dac65bdbc75adcc859ddc858dec958dfca57e0cb56e1cc55e2cd54e4ce53e5cf52" +
  "e6d051e7d150e8d24fe9d34eead34cebd44bedd54aeed649efd748f0d846f1d945" +
  "f2da44f3db42f5dc41f6dd3ff7de3ef8df3cf9e03afbe138fce236fde334fee434" +
  "fee535fee636fee838";

/** Colour number 0…255 as #rrggbb. */
export const hex = (index: number): string =>
  `#${CIVIDIS.slice(index * 6, index * 6 + 6)}`;

/** The palette as 32-bit words for ImageData (little-endian ABGR). */
export const words: Uint32Array = Uint32Array.from({ length: 256 }, (_, i) => {
  const rgb = Number.parseInt(CIVIDIS.slice(i * 6, i * 6 + 6), 16);
  const [r, g, b] = [rgb >> 16, (rgb >> 8) & 255, rgb & 255];
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
});

/** Is black better read on this colour than white? */
export const isBright = (index: number): boolean => index >= 120;

/** Where a weight falls in the palette, for weights from 0 to `top`. */
export const shade = (weight: number, top: number): number =>
  Math.max(0, Math.min(255, Math.round((weight / top) * 255)));
