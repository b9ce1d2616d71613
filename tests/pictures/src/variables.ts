/** The variables of a dashboard: what they can be, what is chosen, and putting that into text. */
import { ScopedVars } from '@grafana/data';
import { Dashboard, Variable } from './dashboard';
import { builtin, Span } from './moment';
import { values } from './prometheus';

export interface Choice {
  variable: Variable;
  /** What the bar shows. */
  shown: string;
  /** What is put into a query. */
  value: string;
}

const LABEL_VALUES = /^label_values\((.*),\s*(\w+)\)$/s;
const NAME = /\$(\w+)|\$\{(\w+)(?:\.[^:}]+)?(?::(\w+))?\}/g;

/** Put values into a text; an unknown name stays as it is. */
export function put(text: string, values: Record<string, string>): string {
  return text.replace(NAME, (whole, bare, braced, format) => {
    const name = bare ?? braced;
    if (!(name in values)) {
      return whole;
    }
    return format === 'queryparam' ? `var-${name}=${encodeURIComponent(values[name])}` : values[name];
  });
}

export const known = (choices: Choice[]): Record<string, string> =>
  Object.fromEntries(choices.map((one) => [one.variable.name, one.value]));

/** Choose for every variable in turn, for one can stand in the query of the next. */
export async function choose(dashboard: Dashboard, wanted: URLSearchParams, span: Span): Promise<Choice[]> {
  const choices: Choice[] = [];
  for (const variable of dashboard.templating.list) {
    choices.push(await one(variable, wanted.get(`var-${variable.name}`), known(choices), span));
  }
  return choices;
}

async function one(
  variable: Variable,
  wanted: string | null,
  sofar: Record<string, string>,
  span: Span,
): Promise<Choice> {
  if (variable.type === 'datasource') {
    return { variable, shown: 'Prometheus', value: 'prometheus' };
  }
  if (variable.type === 'constant') {
    return { variable, shown: String(variable.query), value: String(variable.query) };
  }
  if (wanted) {
    return { variable, shown: wanted, value: wanted };
  }
  if (variable.includeAll) {
    return { variable, shown: 'All', value: variable.allValue ?? '.*' };
  }
  const [first = ''] = await options(variable, sofar, span);
  return { variable, shown: first, value: first };
}

async function options(variable: Variable, sofar: Record<string, string>, span: Span): Promise<string[]> {
  const query = typeof variable.query === 'string' ? variable.query : variable.query.query;
  const [, match, label] = LABEL_VALUES.exec(query) ?? [];
  if (!match) {
    throw new Error(`${variable.name}: not label_values(): ${query}`);
  }
  return (await values(label, put(match, { ...builtin(span, 60), ...sofar }), span.from, span.to)).sort();
}

/** For Grafana's own code: what a link or a name has of variables. */
export function replacer(choices: Choice[], span: Span) {
  const fixed = { ...builtin(span, 60), ...known(choices) };
  return (text: string, scoped?: ScopedVars): string => {
    const field = scoped?.__dataContext?.value?.field;
    const frame = scoped?.__dataContext?.value?.frame;
    return put(text, fixed)
      .replace(/\$\{__field\.labels\.(\w+)\}/g, (_, label) => field?.labels?.[label] ?? '')
      .replace(/\$\{__data\.fields\.(\w+)\}/g, (whole, name) => {
        const row = scoped?.__dataContext?.value?.rowIndex ?? 0;
        const column = frame?.fields.find((f: any) => (f.state?.displayName ?? f.name) === name);
        return column ? String(column.values[row]) : whole;
      });
  };
}
