/** Runs in the page: texts that are visible and whose contrast is under 4.5 : 1 (3 : 1 for large ones). */
export function contrastProblems() {
  const parse = color => {
    const parts = color.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts[3] ?? 1 };
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (top, alpha, under) => top.map((v, i) => v * alpha + under[i] * (1 - alpha));

  function ground(element) {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const { rgb, alpha } = parse(getComputedStyle(one).backgroundColor);
      if (alpha > 0)
        layers.push({ rgb, alpha });
      if (alpha === 1)
        break;
    }
    return layers.reverse().reduce((under, layer) => over(layer.rgb, layer.alpha, under), [255, 255, 255]);
  }

  const problems = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || element.closest('.unseen, .skip, option'))
      continue;
    const style = getComputedStyle(element), under = ground(element);
    const paint = element instanceof SVGElement ? style.fill : style.color;
    const { rgb, alpha } = parse(paint);
    const [a, b] = [light(over(rgb, alpha, under)), light(under)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5))
      problems.add(`${ratio.toFixed(2)} "${text.slice(0, 40)}" ${paint} on ${under.map(Math.round)}`);
  }
  return [...problems];
}
