/** One panel: its chrome, its question to Prometheus, its drawing. */
import { DataFrame } from '@grafana/data';
import { PanelChrome, useTheme2 } from '@grafana/ui';
import { useEffect, useMemo, useState } from 'react';
import { Mark } from './annotations';
import { Panel as Json } from './dashboard';
import { configured, transformed } from './fields';
import { ask } from './frames';
import { KINDS } from './kinds';
import { Nothing } from './kinds/nothing';
import { Span } from './moment';
import { Choice, known, put, replacer } from './variables';
import { drawn, failed } from './watch';

interface Props {
  panel: Json;
  width: number;
  height: number;
  choices: Choice[];
  marks: Mark[];
  span: Span;
}

const PADDING = 16;

export function Panel({ panel, width, height, choices, marks, span }: Props) {
  const theme = useTheme2();
  const [frames, setFrames] = useState<DataFrame[]>();
  const [fault, setFault] = useState('');
  const replace = useMemo(() => replacer(choices, span), [choices, span]);
  useEffect(() => {
    ask(panel, known(choices), span, Math.floor(width - PADDING))
      .then((found) => transformed(panel, found))
      .then((found) => setFrames(configured(panel, found, theme, replace)))
      .catch((reason) => {
        setFault(String(reason));
        failed(panel, String(reason));
      });
  }, []);
  useEffect(() => {
    if (frames || fault) {
      drawn(panel, frames);
    }
  }, [frames, fault]);
  const Kind = KINDS[panel.type];
  return (
    <PanelChrome
      width={width}
      height={height}
      title={put(panel.title, known(choices))}
      description={panel.description}
      statusMessage={fault || undefined}
    >
      {(inner, outer) => {
        if (!frames) {
          return fault ? <Nothing fieldConfig={panel.fieldConfig} /> : null;
        }
        return (
          <Kind
            frames={frames}
            options={panel.options}
            fieldConfig={panel.fieldConfig}
            width={inner}
            height={outer}
            span={span}
            marks={marks}
            theme={theme}
            replace={replace}
          />
        );
      }}
    </PanelChrome>
  );
}
