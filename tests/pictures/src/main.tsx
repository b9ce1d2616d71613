/** The page for one picture: `?dashboard=<uid>&from=now-1h&to=now&scrape=15&unfold=1&var-project=...`. */
import '@fontsource/inter/400.css';
import '@fontsource/inter/500.css';
import '@fontsource/roboto-mono/400.css';
import 'uplot/dist/uPlot.min.css';
import './page.css';
import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { marks } from './annotations';
import { Panel, read } from './dashboard';
import { begin } from './fields';
import { span } from './moment';
import { Page } from './Page';
import { unfold } from './unfold';
import { choose, known } from './variables';
import { broken, expect } from './watch';

const LAST: Record<string, string> = { m: 'minutes', h: 'hours', d: 'days' };

/** As the time picker says it. */
function said(from: string, to: string): string {
  const [, count, unit] = /^now-(\d+)([mhd])$/.exec(from) ?? [];
  return count && to === 'now' ? `Last ${count} ${LAST[unit]}` : `${from} to ${to}`;
}

/** Grafana measures text to place it, which has to be done with the right font. */
const FONTS = ['400 12px Inter', '500 12px Inter', '400 12px "Roboto Mono"'];

async function main(): Promise<void> {
  await Promise.all(FONTS.map((font) => document.fonts.load(font)));
  const asked = new URLSearchParams(location.search);
  const [from, to] = [asked.get('from') ?? 'now-1h', asked.get('to') ?? 'now'];
  begin();
  const dashboard = await read(asked.get('dashboard')!);
  const shown = span({ from, to }, Number(asked.get('scrape') ?? 15));
  const choices = await choose(dashboard, asked, shown);
  const found = await marks(dashboard, known(choices), shown);
  const panels: Panel[] = asked.has('unfold') ? unfold(dashboard.panels) : dashboard.panels;
  expect(panels.filter(({ type }) => type !== 'row').length);
  createRoot(document.getElementById('page')!).render(
    <ThemeContext.Provider value={createTheme({ colors: { mode: 'dark' } })}>
      <GlobalStyles />
      <Page
        dashboard={dashboard}
        panels={panels}
        choices={choices}
        marks={found}
        span={shown}
        time={said(from, to)}
        width={window.innerWidth}
      />
      <PortalContainer />
    </ThemeContext.Provider>,
  );
}

window.addEventListener('error', ({ message }) => broken(message));
window.addEventListener('unhandledrejection', ({ reason }) => broken(String(reason)));
main().catch((reason) => broken(String(reason)));
