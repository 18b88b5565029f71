//! A small dense symmetric positive definite matrix: just enough to solve and invert the equations of a mixed model.
//!
//! A linear algebra crate would bring more code than this file saves: `faer` and `nalgebra` are built for a hundred things that are not needed here.

/// A square matrix by rows.
#[derive(Debug, Clone)]
pub struct Square {
    /// Rows and columns.
    pub size: usize,
    cells: Vec<f64>,
}

impl Square {
    /// All zero.
    pub fn zero(size: usize) -> Self {
        Self { size, cells: vec![0.0; size * size] }
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.size..(row + 1) * self.size]
    }

    /// One row, to write.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.cells[row * self.size..(row + 1) * self.size]
    }

    /// One cell.
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.size + column]
    }

    /// Inverse of a symmetric positive definite matrix of which the lower triangle is given. `None` if it is not positive definite.
    pub fn inverse(mut self) -> Option<Self> {
        self.factor()?;
        // Row c of `columns` is column c of the inverse of the factor: zero before c, so that all inner loops run over neighbours in memory.
        let mut columns = Self::zero(self.size);
        for c in 0..self.size {
            let column = columns.row_mut(c);
            column[c] = 1.0 / self.at(c, c);
            for i in c + 1..self.size {
                let row = self.row(i);
                column[i] = -dot(&row[c..i], &column[c..i]) / row[i];
            }
        }
        for a in 0..self.size {
            for b in 0..=a {
                let cell = dot(&columns.row(a)[a..], &columns.row(b)[a..]);
                self.row_mut(a)[b] = cell;
                self.row_mut(b)[a] = cell;
            }
        }
        Some(self)
    }

    /// Cholesky factor in the lower triangle.
    fn factor(&mut self) -> Option<()> {
        for i in 0..self.size {
            let (above, rest) = self.cells.split_at_mut(i * self.size);
            let row = &mut rest[..self.size];
            for j in 0..i {
                let other = &above[j * self.size..=j * self.size + j];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let left = row[i] - dot(&row[..i], &row[..i]);
            // The equations of this crate add the identity, so a pivot near nothing means that they hold no information.
            if !(left.is_finite() && left > row[i].abs() * 1e-13) {
                return None;
            }
            row[i] = left.sqrt();
        }
        Some(())
    }
}

/// Sum of products, in eight lanes: a plain sum may not be reordered by the compiler and would run at a quarter of the speed.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (whole_a, rest_a) = a.as_chunks::<8>();
    let (whole_b, rest_b) = b.as_chunks::<8>();
    for (a, b) in whole_a.iter().zip(whole_b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(rows: &[&[f64]]) -> Square {
        let mut square = Square::zero(rows.len());
        for (at, row) in rows.iter().enumerate() {
            square.row_mut(at).copy_from_slice(row);
        }
        square
    }

    #[test]
    fn inverse_times_matrix_is_one() {
        let size = 19;
        let mut matrix = Square::zero(size);
        for i in 0..size {
            for j in 0..size {
                matrix.row_mut(i)[j] = 1.0 / (1.0 + i.abs_diff(j) as f64) + if i == j { 2.0 } else { 0.0 };
            }
        }
        let inverse = matrix.clone().inverse().expect("diagonally dominant");
        for i in 0..size {
            for j in 0..size {
                let cell = dot(matrix.row(i), inverse.row(j));
                assert!((cell - if i == j { 1.0 } else { 0.0 }).abs() < 1e-12, "{i} {j}: {cell}");
            }
        }
    }

    #[test]
    fn a_singular_matrix_has_no_inverse() {
        assert!(square(&[&[1.0, 1.0], &[1.0, 1.0]]).inverse().is_none());
        assert!(square(&[&[f64::NAN]]).inverse().is_none());
        assert!(square(&[&[0.0]]).inverse().is_none());
    }
}
