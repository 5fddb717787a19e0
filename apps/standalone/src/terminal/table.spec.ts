import { displayWidth, printable, truncate } from './printable.ts';
import { formatFields, formatTable, type Column } from './table.ts';

interface Row {
  readonly name: string;
  readonly count: number | null;
}

const columns: readonly Column<Row>[] = [
  { header: 'NAME', value: ({ name }) => name, flexible: true },
  { header: 'COUNT', value: ({ count }) => count, align: 'right' },
];

describe('formatTable', () => {
  test('aligns columns under their headers, numbers to the right', () => {
    const { lines } = formatTable(
      [
        { name: 'a', count: 1000 },
        { name: 'longer', count: 7 },
      ],
      columns,
    );
    expect(lines).toEqual(['NAME    COUNT', 'a        1000', 'longer      7']);
  });

  test('shows what is missing as a dash', () => {
    expect(formatTable([{ name: '', count: null }], columns).lines[1]).toBe('-         -');
  });

  test('aligns wide characters by the columns that a terminal gives them', () => {
    const { lines } = formatTable(
      [
        { name: '日本', count: 1 },
        { name: 'abcd', count: 2 },
      ],
      columns,
    );
    expect(lines.map(displayWidth)).toEqual([11, 11, 11]);
  });

  test('keeps a line within the terminal by shortening what may be shortened', () => {
    const { lines } = formatTable([{ name: 'x'.repeat(50), count: 12345 }], columns, { columns: 20 });
    expect(lines.map(displayWidth)).toEqual([20, 20]);
    expect(lines[1]).toBe(`${'x'.repeat(12)}…  12345`);
  });

  test('lets nothing from elsewhere control the terminal or forge a line', () => {
    const { lines } = formatTable([{ name: 'a\u001b[2J\nb\u202e', count: 1 }], columns);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('a\\u001b[2J\\u000ab\\u202e');
  });

  test('goes on with the widths of the table before, without a header', () => {
    const first = formatTable([{ name: 'a long name', count: 1 }], columns);
    const next = formatTable([{ name: 'b', count: 2 }], columns, { after: first.widths });
    expect(next.lines).toEqual(['b                2']);
  });

  test('colours cells without moving them', () => {
    const styled = formatTable(
      [{ name: 'a', count: 1 }],
      [
        { header: 'NAME', value: ({ name }: Row) => name, style: (text) => `<${text}>` },
        { header: 'X', value: () => 'y' },
      ],
    );
    expect(styled.lines[1]).toBe('<a>     y');
  });
});

describe('formatFields', () => {
  test('aligns values, leaves out what is undefined and shows null as a dash', () => {
    expect(formatFields({ id: '1', longer: null, none: undefined, on: false })).toEqual([
      'id      1',
      'longer  -',
      'on      false',
    ]);
  });
});

describe('printable and truncate', () => {
  test('leave ordinary text of any script as it is', () => {
    expect(printable('Größe 日本 👍')).toBe('Größe 日本 👍');
  });

  test('never cut a character in two', () => {
    expect(truncate('日本語', 4)).toBe('日…');
    expect(truncate('👨‍👩‍👧 family', 3)).toBe('👨‍👩‍👧…');
  });
});
