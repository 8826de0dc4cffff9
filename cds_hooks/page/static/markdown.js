// GitHub-flavoured Markdown of cards, rendered without raw HTML, images and inline styles.
import MarkdownIt from "/vendor/markdown-it.min.js";

const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false, breaks: false });
markdown.disable("image");

// The renderer writes column alignment as inline style, which the page's policy refuses: a class instead.
markdown.core.ruler.push("alignment", (state) => {
  for (const token of state.tokens) {
    const align = token.attrGet("style")?.match(/^text-align:(left|center|right)$/);
    token.attrs = token.attrs?.filter(([name]) => name !== "style") ?? null;
    if (align) token.attrJoin("class", `align-${align[1]}`);
    if (token.type === "th_open") token.attrSet("scope", "col");
  }
});

// A wide table scrolls in its own box, reachable by keyboard.
markdown.renderer.rules.table_open = () => '<div class="scroll" role="region" tabindex="0" aria-label="Table"><table>';
markdown.renderer.rules.table_close = () => "</table></div>";
markdown.renderer.rules.link_open = (tokens, index, options, _env, self) => {
  tokens[index].attrSet("rel", "noopener noreferrer");
  tokens[index].attrSet("target", "_blank");
  return self.renderToken(tokens, index, options);
};
// Headings of a card stand below the card's own heading.
for (const rule of ["heading_open", "heading_close"]) {
  markdown.renderer.rules[rule] = (tokens, index, options, _env, self) => {
    tokens[index].tag = "h4";
    return self.renderToken(tokens, index, options);
  };
}

export function render(text) {
  const box = document.createElement("div");
  box.className = "detail";
  box.innerHTML = markdown.render(text);
  keepDatesWhole(box);
  return box;
}

// A date that breaks at its hyphens in a narrow column is hard to read.
function keepDatesWhole(box) {
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const parts = text.data.split(/(\b\d{4}-\d\d-\d\d\b)/);
    if (parts.length === 1) continue;
    text.replaceWith(
      ...parts.map((part, place) => {
        if (place % 2 === 0) return part;
        const whole = document.createElement("span");
        whole.className = "whole";
        whole.textContent = part;
        return whole;
      }),
    );
  }
}
