import { signal } from '@preact/signals';

import { addFile, source } from '../data/store.ts';

const over = signal(false);

let input: HTMLInputElement | null = null;

/** Opens the browser's choice of files. */
export function fileChooser(): void {
  input?.click();
}

/** Files are read wherever they are dropped. */
export function FileDrop() {
  return (
    <>
      <input
        ref={(element) => void (input = element)}
        hidden
        type="file"
        accept=".clew,.json,.jsonl,.gz,application/json"
        onChange={(event) => {
          const { files } = event.currentTarget;
          for (const file of files ?? []) void addFile(file);
          event.currentTarget.value = '';
        }}
      />
      {over.value && (
        <div class="drop" aria-hidden="true">
          <p>
            {source.addFile
              ? 'Drop a .clew recording or spans in OTLP’s JSON'
              : 'This page is a file and cannot read others'}
          </p>
        </div>
      )}
    </>
  );
}

function holdsFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true;
}

addEventListener('dragover', (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  over.value = true;
});
addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) over.value = false;
});
addEventListener('drop', (event) => {
  over.value = false;
  if (!holdsFiles(event)) return;
  event.preventDefault();
  for (const file of event.dataTransfer?.files ?? []) void addFile(file);
});
