import { readMarkdown } from './markdown.ts';

describe('readMarkdown', () => {
  it('finds links and images with their lines, but not those in code', () => {
    const { links } = readMarkdown(
      [
        '[a](a.md) and ![b](b.png "title")',
        '',
        'no `[c](c.md)`, but [`d`](d.md#x)',
        '```md',
        '[e](e.md)',
        '```',
      ].join('\n'),
    );
    expect(links).toEqual([
      { target: 'a.md', line: 1 },
      { target: 'b.png', line: 1 },
      { target: 'd.md#x', line: 3 },
    ]);
  });

  it('makes anchors as GitHub does', () => {
    const { anchors } = readMarkdown(
      ['# Run it: for real!', '## `POSTHORN_PORT` & more', '### Twice', '### Twice', '#hashtag'].join('\n'),
    );
    expect([...anchors]).toEqual(['run-it-for-real', 'posthorn_port--more', 'twice', 'twice-1']);
  });

  it('gives blocks of code with their language and the heading that they are under', () => {
    const { blocks, anchors } = readMarkdown(
      ['```', 'plain', '```', '## Python', '```py', '# no heading', 'x = 1', '```'].join('\n'),
    );
    expect(blocks).toEqual([
      { language: '', text: 'plain\n', heading: '' },
      { language: 'py', text: '# no heading\nx = 1\n', heading: 'Python' },
    ]);
    expect([...anchors]).toEqual(['python']);
  });

  it('gives what stands between backticks', () => {
    expect(readMarkdown('run `npm ci`, then `npm test`').codeSpans).toEqual(['npm ci', 'npm test']);
  });
});
