import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'out', 'node_modules', '*.mjs', 'scripts'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      complexity: ['error', { max: 10, variant: 'modified' }],
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', 50],
      'no-console': 'error',
      // A class that implements an interface may have nothing to do in a method; a comment says so.
      '@typescript-eslint/no-empty-function': 'off',
      // A rejected promise of an event handler is handled where the event is.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // The editor's status bar item is a disposable without being of that class.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { varsIgnorePattern: '^_', argsIgnorePattern: '^_' },
      ],
      // Numbers are written into texts everywhere.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['test/**'],
    // node:test reports the outcome of a test itself.
    rules: { '@typescript-eslint/no-floating-promises': 'off', 'max-lines-per-function': 'off' },
  },
);
