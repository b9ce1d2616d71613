/** A whole dashboard, as it stands in Grafana: where it is, what is chosen, rows, panels. */
import { Icon, useTheme2 } from '@grafana/ui';
import { Fragment } from 'react';
import { Mark } from './annotations';
import { Dashboard, Panel as Json } from './dashboard';
import { Span } from './moment';
import { Panel } from './Panel';
import { Choice } from './variables';

const COLUMNS = 24;
const ROW = 30;
const GAP = 8;
const SIDE = 16;

interface Props {
  dashboard: Dashboard;
  panels: Json[];
  choices: Choice[];
  marks: Mark[];
  span: Span;
  time: string;
  width: number;
}

export function Page({ dashboard, panels, choices, marks, span, time, width }: Props) {
  const column = (width - 2 * SIDE - (COLUMNS - 1) * GAP) / COLUMNS;
  const high = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  return (
    <Fragment>
      <Where dashboard={dashboard} />
      <Chosen dashboard={dashboard} choices={choices} time={time} />
      <div className="grid" style={{ height: high * (ROW + GAP) + SIDE }}>
        {panels.map((panel) => {
          const { x, y, w, h } = panel.gridPos;
          const size = { width: w * column + (w - 1) * GAP, height: h * ROW + (h - 1) * GAP };
          const place = { ...size, left: SIDE + x * (column + GAP), top: y * (ROW + GAP) };
          return (
            <div key={panel.id} className="place" style={place}>
              {panel.type === 'row' ? (
                <Row panel={panel} />
              ) : (
                <Panel panel={panel} {...size} choices={choices} marks={marks} span={span} />
              )}
            </div>
          );
        })}
      </div>
    </Fragment>
  );
}

function Where({ dashboard }: { dashboard: Dashboard }) {
  return (
    <div className="where">
      <Icon name="grafana" size="lg" />
      {['Home', 'Dashboards', 'Orchestrator'].map((name) => (
        <Fragment key={name}>
          <span>{name}</span>
          <Icon name="angle-right" />
        </Fragment>
      ))}
      <b>{dashboard.title}</b>
    </div>
  );
}

function Chosen({ dashboard, choices, time }: { dashboard: Dashboard; choices: Choice[]; time: string }) {
  const shown = choices.filter(({ variable }) => !variable.hide);
  return (
    <div className="chosen">
      <div className="left">
        {shown.map(({ variable, shown }) => (
          <span key={variable.name} className="choice">
            <label>{variable.label}</label>
            <i>
              {shown}
              <Icon name="angle-down" />
            </i>
          </span>
        ))}
        {dashboard.annotations.list
          .filter(({ hide }) => !hide)
          .map(({ name, enable }) => (
            <span key={name} className="choice">
              <label>{name}</label>
              <i className={enable ? 'switch on' : 'switch'}>
                <u />
              </i>
            </span>
          ))}
      </div>
      {dashboard.links.map(({ title }) => (
        <span key={title} className="button">
          <Icon name="bars" />
          {title}
          <Icon name="angle-down" />
        </span>
      ))}
      <span className="button">
        <Icon name="clock-nine" />
        {time}
        <Icon name="angle-down" />
      </span>
      <span className="button">
        <Icon name="search-minus" />
      </span>
      <span className="button">
        <Icon name="sync" />
        {dashboard.refresh}
        <Icon name="angle-down" />
      </span>
    </div>
  );
}

function Row({ panel }: { panel: Json }) {
  const theme = useTheme2();
  const count = panel.panels?.length ?? 0;
  return (
    <div className="folding" style={{ color: theme.colors.text.primary }}>
      <Icon name={panel.collapsed ? 'angle-right' : 'angle-down'} />
      <b>{panel.title}</b>
      {panel.collapsed && (
        <span>
          ({count} panel{count === 1 ? '' : 's'})
        </span>
      )}
    </div>
  );
}
