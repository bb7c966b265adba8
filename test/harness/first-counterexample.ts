import fc from 'fast-check';

// For mutation testing: that a property fails is all that counts, and to look for the smallest example of it takes longer than all else.
fc.configureGlobal({ endOnFailure: true });
