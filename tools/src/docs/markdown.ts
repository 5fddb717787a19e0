/** What checks of the documentation need to know of a Markdown page: as much of the language as our pages use. */

/** One page. Lines count from 1. */
export interface MarkdownPage {
  /** Targets of links and images, as they are written. */
  readonly links: readonly MarkdownLink[];
  /** The fragments that the headings can be reached by, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
  readonly blocks: readonly CodeBlock[];
  /** What stands between single backticks. */
  readonly codeSpans: readonly string[];
}

export interface MarkdownLink {
  readonly target: string;
  readonly line: number;
}

/** A fenced block of code. */
export interface CodeBlock {
  /** Empty when none is named. */
  readonly language: string;
  readonly text: string;
  /** The nearest heading above it; empty when there is none. */
  readonly heading: string;
}

const fence = /^\s*(?:```|~~~)(\w*)/;
const heading = /^#{1,6} +(.+?) *#*$/;
const codeSpan = /`([^`]+)`/g;
const link = /!?\[[^\]]*\]\(([^)\s]+)(?: "[^"]*")?\)/g;

export function readMarkdown(text: string): MarkdownPage {
  const links: MarkdownLink[] = [];
  const anchors = new Set<string>();
  const blocks: CodeBlock[] = [];
  const codeSpans: string[] = [];
  let lastHeading = '';
  let open: { readonly language: string; readonly lines: string[] } | null = null;

  for (const [index, line] of text.split('\n').entries()) {
    const language = fence.exec(line)?.[1];
    if (open !== null) {
      if (language === undefined) open.lines.push(line);
      else {
        blocks.push({ language: open.language, text: `${open.lines.join('\n')}\n`, heading: lastHeading });
        open = null;
      }
      continue;
    }
    if (language !== undefined) {
      open = { language, lines: [] };
      continue;
    }
    const title = heading.exec(line)?.[1];
    if (title !== undefined) {
      lastHeading = title;
      addAnchor(anchors, title);
    }
    codeSpans.push(...Array.from(line.matchAll(codeSpan), ([, code = '']) => code));
    const prose = line.replaceAll(codeSpan, '`code`');
    links.push(...Array.from(prose.matchAll(link), ([, target = '']) => ({ target, line: index + 1 })));
  }
  return { links, anchors, blocks, codeSpans };
}

/** Lower case, punctuation left out, a hyphen for each space; a number behind what is there already. */
function addAnchor(anchors: Set<string>, title: string): void {
  const slug = title
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-');
  let anchor = slug;
  for (let number = 1; anchors.has(anchor); number += 1) anchor = `${slug}-${number}`;
  anchors.add(anchor);
}
